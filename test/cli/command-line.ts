import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Host, run } from '../../src/cli/run.ts';
import { Canary } from '../support/observed/canary.ts';

/** How a command is typed, and on what. */
export interface Typing {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Buffer;
  /** Opens the database; a command that should need none fails without it. */
  readonly open?: Host['open'];
  /** Columns of the terminal; none: a pipe. */
  readonly columns?: number | undefined;
  readonly interrupted?: AbortSignal;
}

export interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command under way: its output can be read while it runs. */
export interface RunningCommand {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  /** Its exit code. Rejects when it printed a secret that it was given. */
  readonly ended: Promise<number>;
}

/** Starts a command of the CLI. Whatever it prints is searched for the secrets that it was given. */
export function startCommand(words: readonly string[], typing: Typing = {}): RunningCommand {
  const { env = {}, stdin = '', columns, interrupted = new AbortController().signal } = typing;
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  const canary = new Canary();
  const stdout = Object.assign(printed(canary), terminal);
  const stderr = printed(canary);
  canary.set(env);
  // What these read is a password: of a user, or a mailbox's at its mail server.
  if (words[0] === 'user' || words[0] === 'mailbox') canary.secret(String(stdin).trim());
  const open = typing.open ?? (() => Promise.reject(new Error('this command opens no database')));
  const whenInterrupted = () => interrupted;
  const running = run(
    words,
    { stdin: Readable.from([Buffer.from(stdin)]), stdout, stderr },
    { env, open, whenInterrupted },
  );
  return { stdout, stderr, ended: running.finally(() => canary.assertSilent()) };
}

const printed = (canary: Canary): PassThrough =>
  new PassThrough({
    // Full before a test has to print much.
    highWaterMark: 4096,
    transform(chunk, _encoding, done) {
      canary.wrote('output', String(chunk));
      done(null, chunk);
    },
  });

/** Runs a command of the CLI to its end. */
export async function typeCommand(words: readonly string[], typing: Typing = {}): Promise<Typed> {
  const { stdout, stderr, ended } = startCommand(words, typing);
  const all = Promise.all([text(stdout), text(stderr)]);
  const code = await ended;
  stdout.end();
  stderr.end();
  const [out, err] = await all;
  return { code, out, err };
}
