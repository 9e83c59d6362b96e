import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { nodeOptions } from '../../support/node-options.ts';

/** A gateway as in production: its own process, which can be killed. */
export interface GatewayProcess extends AsyncDisposable {
  /** Of a worker: where its health and metrics are. */
  readonly url: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** The last lines that it printed: its log, and what it died of. */
  readonly output: readonly string[];
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code, or the signal that ended it. */
  stop(): Promise<number | string>;
}

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const keepCompiled = ['--import', new URL('keep-compiled.ts', import.meta.url).href];
const linesKept = 400;
/** Load is sent as no desk does. */
const unlimited = Object.fromEntries(
  ['ADDRESS', 'VIEWER', 'WRITES', 'TICKET'].map((name) => [`RATE_LIMIT_${name}`, '1000000000']),
);
/** Settings in the environment of the tests must not influence the results. */
const settings = [
  ...['HOST', 'DATA_DIR', 'DATABASE_URL', 'DATABASE_OWNER_URL', 'DATABASE_POOL', 'SMTP_URL', 'BLOBS_URL'],
  ...['MAILBOX_KEY', 'JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE', 'TRUST_PROXY', 'ROLES', 'NODE_ENV'],
  ...['CLAMD_URL', 'PUBLIC_URL', 'MAX_OPEN_UPLOADS', 'MAX_UPLOADED_BYTES'],
  ...['MAX_BODY_BYTES', 'MAX_ATTACHMENT_BYTES', 'MAX_MESSAGE_ATTACHMENTS_BYTES', 'MAX_REQUEST_BYTES'],
  ...['MAX_SUBSCRIPTIONS', 'MAX_OPEN_FORMS'],
];

/**
 * Starts one and waits until it serves.
 * @param env settings; nothing of the surrounding environment's settings is passed on
 * @param openFiles what `ulimit -n` allows it; the surrounding limit unless given
 * @throws Error with what it printed, when it ends instead
 */
export async function startGatewayProcess(
  env: Record<string, string>,
  openFiles?: number,
): Promise<GatewayProcess> {
  const unset = Object.fromEntries(settings.map((name) => [name, '']));
  const command = [process.execPath, ...nodeOptions, ...(process.env.VITEST ? keepCompiled : []), main];
  const [program, ...args] =
    openFiles === undefined ? command : ['sh', '-c', `ulimit -n ${openFiles}; exec "$0" "$@"`, ...command];
  const child = spawn(program!, args, {
    env: { ...process.env, ...unset, ...unlimited, PORT: '0', LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const output: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        if (output.push(line) > linesKept) output.shift();
        const ready = /^ {2}readiness +(\S+)\/health\/ready$/.exec(line);
        if (ready) resolve(ready[1]!);
      });
    }
    void ended.then(([code, signal]) =>
      reject(new Error(`the gateway ended with ${signal ?? code}:\n${output.join('\n')}`)),
    );
  });
  const over = () => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (!over()) child.kill(signal);
    const [code, by] = await ended;
    return by ?? code ?? 'nothing';
  };
  return {
    url,
    pid: child.pid!,
    child,
    output,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}
