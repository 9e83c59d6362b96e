/*
 * What a newcomer does, from an empty folder to the first message in the inbox: clones HEAD, and types the
 * two commands of the README with the machine's own Node and nothing in npm's cache. Prints seconds and
 * bytes. Then it starts once more: the desk is as it was.
 *
 *   npm run test:first-message
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const operator = `Basic ${btoa('operator:operator')}`;
const tell = (line: string) => process.stdout.write(`${line}\n`);

/** A person's shell: without what npm adds to the environment of a script, and its own Node first of all. */
function shellOf(cache: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle|config_(omit|local_prefix))|NODE_ENV)/.test(name),
  );
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return { ...Object.fromEntries(own), PATH: path.join(delimiter), npm_config_cache: cache, PORT: '0' };
}

/** Bytes of a folder's files. */
async function bytesOf(folder: string): Promise<number> {
  const { stdout } = await run('du', ['-sb', '--apparent-size', folder]);
  return Number.parseInt(stdout, 10);
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

const began = performance.now();
let last = began;
function step(name: string, ...more: string[]): void {
  const now = performance.now();
  const [took, since] = [now - last, now - began].map((ms) => `${(ms / 1000).toFixed(1)} s`);
  tell(`${name.padEnd(26)} ${took!.padStart(7)} ${since!.padStart(8)}   ${more.join(', ')}`);
  last = now;
}

interface Started {
  readonly url: string;
  /** Ctrl-C. */
  stop(): Promise<number | null>;
}

async function npmStart(folder: string, env: NodeJS.ProcessEnv): Promise<Started> {
  const child = spawn('npm', ['start'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const at = /^Ticketwire is listening on (\S+)$/.exec(line)?.[1];
      if (at !== undefined) resolve(at);
    });
    void ended.then(([code]) => reject(new Error(`npm start ended with ${code}`)));
  });
  return {
    url,
    async stop() {
      child.kill('SIGINT');
      return (await ended)[0];
    },
  };
}

/** The README's reply. */
async function reply(url: string, folder: string): Promise<void> {
  const headers = { authorization: operator, 'content-type': 'application/json' };
  const body = await readFile(join(folder, 'examples/requests/reply.json'));
  const answer = await (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).text();
  if (!answer.includes('"ticketMessage"')) throw new Error(answer);
}

async function mailsAt(url: string): Promise<readonly { subject: string }[]> {
  const headers = { authorization: operator, accept: 'application/json' };
  const { mails } = (await (await fetch(`${url}/inbox/?wait=30`, { headers })).json()) as {
    mails: { subject: string }[];
  };
  return mails;
}

async function main(directory: string): Promise<void> {
  const [cache, folder] = [join(directory, 'cache'), join(directory, 'ticketwire')];
  const env = shellOf(cache);
  const { stdout: node } = await run('node', ['--version'], { env, cwd: directory });
  tell(`Node ${node.trim()}, npm's cache is empty\n${' '.repeat(31)}took   since`);
  last = performance.now();
  await run('git', ['clone', '--quiet', '--no-local', root, folder], { env });
  step('git clone', `${megabytes(await bytesOf(join(folder, '.git')))} with the history`);
  await run('npm', ['ci'], { cwd: folder, env });
  const fetched = megabytes(await bytesOf(join(cache, '_cacache/content-v2')));
  step('npm ci', `${fetched} fetched`, `${megabytes(await bytesOf(folder))} on the disk`);
  const first = await npmStart(folder, env);
  step('npm start: it listens');
  await reply(first.url, folder);
  const mails = await mailsAt(first.url);
  step('the first message is read', `in the inbox: ${mails[0]?.subject}`);
  const code = await first.stop();
  step('Ctrl-C', `exit code ${code}`);
  const second = await npmStart(folder, env);
  const kept = await mailsAt(second.url);
  step('npm start again', `${kept.length} mail in the inbox`);
  const ending = await second.stop();
  if (mails.length !== 1 || kept.length !== 1 || code !== 0 || ending !== 0)
    throw new Error(`${mails.length} and ${kept.length} mails; exit codes ${code} and ${ending}`);
}

const directory = await mkdtemp(join(tmpdir(), 'ticketwire-first-'));
try {
  await main(directory);
} finally {
  await rm(directory, { recursive: true, force: true });
}
