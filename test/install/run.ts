/*
 * Installs the committed tree in each documented way, prints its size and how long it takes, and starts it on
 * the pinned Node against a PostgreSQL.
 *
 *   npm run test:install [-- --only slim|production|development]
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { createProductionDesk } from '../crash/support/production-desk.ts';
import { runInFolder, tell, violations } from '../crash/support/verdict.ts';
import { startSinkProcess } from '../support/servers/smtp-sink-process.ts';

const run = promisify(execFile);
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const root = fileURLToPath(new URL('../../', import.meta.url));

interface Way {
  readonly name: string;
  readonly arguments: readonly string[];
  /** Of node_modules, in MB: more is a violation. */
  readonly mostMegabytes: number;
}

const ways: readonly Way[] = [
  { name: 'slim', arguments: ['--omit=dev', '--omit=optional', '--ignore-scripts'], mostMegabytes: 200 },
  { name: 'production', arguments: ['--omit=dev'], mostMegabytes: 300 },
  { name: 'development', arguments: [], mostMegabytes: 500 },
];

/** Copies the files of HEAD: what a clone has. */
async function checkOut(folder: string): Promise<void> {
  await mkdir(folder);
  const archive = join(folder, '../head.tar');
  await run('git', ['archive', `--output=${archive}`, 'HEAD'], { cwd: root });
  await run('tar', ['-xf', archive, '-C', folder]);
}

/** Environment of a person's shell: without the variables that npm sets for its scripts. */
const shell = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^npm_(package|lifecycle|config_(omit|local_prefix))/.test(name),
  ),
);

async function install(folder: string, way: Way): Promise<void> {
  const began = performance.now();
  const { stdout, stderr } = await run('npm', ['ci', ...way.arguments], { cwd: folder, env: shell });
  const took = ((performance.now() - began) / 1000).toFixed(0);
  const { stdout: size } = await run('du', ['-sm', join(folder, 'node_modules')]);
  const megabytes = Number.parseInt(size, 10);
  tell(`${way.name}: npm ci ${way.arguments.join(' ')}: ${megabytes} MB in ${took} s`);
  for (const line of stdout.split('\n').filter((text) => text !== '')) tell(`     ${line}`);
  if (megabytes > way.mostMegabytes) violations.push(`${way.name}: over ${way.mostMegabytes} MB`);
  if (stderr !== '') violations.push(`${way.name}: npm ci prints ${stderr}`);
}

/** Starts the installed program, waits until it is ready, and ends it by SIGTERM. */
async function start(folder: string, way: Way, env: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, [join(folder, 'src/start.ts')], {
    ...{ cwd: folder, env: { ...shell, ...env, PORT: '0', NODE_ENV: 'production' } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  let output = '';
  const listening = new Promise<string | undefined>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        output += `${line}\n`;
        const url = /^Ticketwire is listening on (\S+)$/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    }
    void ended.then(() => resolve(undefined));
  });
  const url = await listening;
  if (url === undefined) {
    violations.push(`${way.name}: ended with ${child.exitCode}: ${output}`);
    return;
  }
  const ready = await fetch(`${url}/health/ready`);
  child.kill('SIGTERM');
  const [code] = await ended;
  tell(`     started on Node ${process.version}: /health/ready ${ready.status}, exit code ${code}`);
  if (ready.status !== 200 || code !== 0) violations.push(`${way.name}: ${await ready.text()} ${output}`);
}

/** Without the development packages there is no GraphiQL page: a start that asks for it says so by name. */
async function startWithExplorer(folder: string, way: Way, env: Record<string, string>): Promise<void> {
  const settings = { ...shell, ...env, PORT: '0', EXPLORER: '1' };
  const ended = await run(process.execPath, [join(folder, 'src/start.ts')], {
    cwd: folder,
    env: settings,
  }).catch((error: { code: number; stderr: string }) => error);
  const said = ended.stderr.trim();
  tell(`     EXPLORER=1: ${said}`);
  if (!('code' in ended) || !said.startsWith('EXPLORER: ')) violations.push(`${way.name}: EXPLORER=1`);
}

async function main(directory: string): Promise<void> {
  await using sink = await startSinkProcess(join(directory, 'mails'));
  await using desk = await createProductionDesk(directory, sink.url);
  for (const way of ways.filter(({ name }) => values.only === undefined || values.only === name)) {
    const folder = join(directory, way.name);
    await checkOut(folder);
    await install(folder, way);
    await start(folder, way, desk.env);
    if (way.arguments.includes('--omit=dev')) await startWithExplorer(folder, way, desk.env);
    await rm(folder, { recursive: true });
  }
}

await runInFolder('install', main);
