import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { run } from '../../src/cli/run.ts';
import { readConfig } from '../../src/config.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { blocksOf, commandsOf, readDocuments, wordsOf } from './blocks.ts';
import { notRun } from './not-run.ts';

/* What the documents say to type does what it is there for, against one running gateway. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const documents = await readDocuments();
const hasCurl = await promisify(execFile)('curl', ['--version']).then(
  () => true,
  () => false,
);

let gateway: Gateway;
let directory: string;
let token: string;
/** The place of the upload that was begun last, which the documents abbreviate. */
let upload = '';

beforeAll(async () => {
  gateway = await startGateway({ env: { SMTP_URL: 'inbox:' } });
  directory = await mkdtemp(join(tmpdir(), 'ticketwire-docs-'));
  for (const name of ['README.md', 'examples']) await symlink(join(root, name), join(directory, name));
  for (const name of ['report.pdf', 'invoice.pdf', 'film.mp4'])
    await writeFile(join(directory, name), Buffer.alloc(name === 'film.mp4' ? 10 * 1024 * 1024 : 9));
  const desk = await readFile(join(root, 'examples/desk.jsonl'));
  await writeFile(join(directory, 'desk.jsonl'), desk);
  await writeFile(join(directory, 'desk.jsonl.gz'), gzipSync(desk));
  const mailed = { SendViaOutboundEmail: true, SendViaOutboundEmailFrom: 'company@domain.com' };
  await gateway.legacy({ TicketREF: 'INC-000047', Message: 'for the inbox', ...mailed });
  await fetch(`${gateway.url}/inbox/?wait=30`, {
    headers: { accept: 'application/json', authorization: asOperator },
  });
  const [user] = await gateway.sql<{ id: number }[]>`select id from users where login = 'operator'`;
  const scopes = ['read', 'write', 'mail'] as const;
  ({ token } = await createToken(gateway.database.database.desk, { userId: user!.id, name: 'docs', scopes }));
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const here = (command: string): string =>
  command
    .replaceAll(/(?:http:\/\/)?localhost:4000/g, gateway.url)
    .replaceAll(/\/uploads\/5b6e…/g, `/uploads/${upload}`)
    .replace(/^curl /, 'curl -sS --fail-with-body ');

async function shell(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', here(command)], {
    cwd: directory,
    maxBuffer: 1 << 24,
    env: { ...process.env, TICKETWIRE_URL: gateway.url, TICKETWIRE_TOKEN: token },
  });
  upload = /^location: .*\/uploads\/(\S+)/im.exec(stdout)?.[1] ?? upload;
  return stdout;
}

/** Reads a stream until its first event, for which it adds a message. */
async function follow(command: string): Promise<string> {
  const child = spawn('bash', ['-c', `exec ${here(command)}`], {
    cwd: directory,
  });
  let out = '';
  const seen = Promise.withResolvers<void>();
  child.once('exit', (code) => seen.reject(new Error(`curl ended with ${code}: ${out}`)));
  child.stdout.on('data', async (piece) => {
    if (out === '') await gateway.legacy({ TicketREF: 'INC-000047', Message: 'for those who watch' });
    out += String(piece);
    if (out.includes('for those who watch')) seen.resolve();
  });
  await seen.promise;
  child.removeAllListeners('exit').kill();
  return out;
}

/** Runs one of our commands in this process: another would load the program once more. */
async function ticketwire(words: readonly string[], input: string | Buffer): Promise<string> {
  const streams = {
    stdin: Readable.from([Buffer.from(input)]),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  };
  const { desk: db, raw: sql } = gateway.database.database;
  const config = readConfig({ BLOBS_URL: pathToFileURL(gateway.blobsDirectory).href });
  const code = await run(words.map(ownFile), streams, {
    env: { TICKETWIRE_URL: gateway.url, TICKETWIRE_TOKEN: token, DATA_DIR: directory },
    open: async () => ({ db, sql, config, async [Symbol.asyncDispose]() {} }),
  });
  expect({ code, err: code === 0 ? '' : String(streams.stderr.read()) }).toEqual({ code: 0, err: '' });
  return String(streams.stdout.read() ?? '');
}

/** A file of the test's own folder: this process works in the root. */
const ownFile = (word: string): string =>
  /^[\w/-]+\.(jsonl|har|pdf|md)$/.test(word) ? join(directory, word) : word;

async function outcomeOf(command: string): Promise<string> {
  const [before, ours] = here(command).split(/(?:^|\| *)(?:npm run -s )?ticketwire (?:-- )?/);
  if (ours !== undefined) return ticketwire(wordsOf(ours), before === '' ? '' : await shell(before!));
  return command.includes('text/event-stream') ? follow(command) : shell(command);
}

const commandsIn = ({ text }: { text: string }) => blocksOf(text, 'sh').flatMap(commandsOf);
const isRun = (command: string) => !notRun.some(([pattern]) => pattern.test(command));

test.runIf(hasCurl).each(documents.filter((document) => commandsIn(document).some(isRun)))(
  'every command of $path does what it is there for',
  async (document) => {
    for (const command of commandsIn(document).filter(isRun)) {
      const answer = await outcomeOf(command).catch((error: Error) => {
        throw new Error(`${command}\n${error.message}`);
      });
      expect(answer, command).not.toMatch(/"errors"|"code":/);
      expect(answer.trim() !== '' || command.includes('DELETE'), command).toBe(true);
    }
  },
);

test('what is not run is there, and has a reason', () => {
  const commands = documents.flatMap(commandsIn);
  for (const [pattern, reason] of notRun) {
    expect(
      commands.some((command) => pattern.test(command)),
      String(pattern),
    ).toBe(true);
    expect(reason).not.toBe('');
  }
});
