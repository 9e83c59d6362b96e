import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startGatewayProcess } from '../../crash/support/gateway-process.ts';
import { forgetPeak, memoryOf } from '../../crash/support/process-status.ts';
import { type Door, digestOf, MiB, multipartDoor, rawDoor, send, uploadsDoor } from './client.ts';

/*
 * Sends large files through each door of a gateway in its own process, and to a bare server that does only
 * what is necessary: the same client, disk and run, in turns. Says how fast, by how much its memory grows,
 * and what CPU it takes.
 *
 * npm run bench:uploads -- [MiB of the file, 1024] [rounds, 3]
 */

const [megabytes = 1024, rounds = 3] = process.argv.slice(2).map(Number);
const parallel = 10;

interface Server {
  readonly pid: number;
  readonly files: string;
}
interface Run {
  readonly name: string;
  readonly server: Server;
  readonly door: Door;
  readonly many?: number;
  readonly least?: number;
  readonly growth?: number;
  readonly seconds: number[];
  readonly cpu: number[];
  readonly grown: number[];
}

/** Seconds of CPU that a process has had. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function run(one: Run, size: number, digest: string): Promise<void> {
  const { pid, files } = one.server;
  forgetPeak(pid);
  const [memory, cpu, from] = [memoryOf(pid).resident, cpuOf(pid), performance.now()];
  await Promise.all(Array.from({ length: one.many ?? 1 }, () => send(one.door, size, digest)));
  one.seconds.push((performance.now() - from) / 1000);
  one.cpu.push(cpuOf(pid) - cpu);
  one.grown.push((memoryOf(pid).peak - memory) / MiB);
  // Nobody will ask for them: the disk is needed for the next.
  for (const entry of await readdir(files, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && /^[0-9a-f-]{36,40}$/.test(entry.name)) await rm(join(entry.parentPath, entry.name));
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function startRaw(directory: string, parts: AsyncDisposableStack): Promise<Server & { url: string }> {
  const script = fileURLToPath(new URL('raw-server.js', import.meta.url));
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  parts.defer(async () => {
    child.kill();
    await once(child, 'exit');
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { pid: child.pid!, files: directory, url: `http://127.0.0.1:${line.split(' ').at(-1)}/` };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function report(runs: readonly Run[], size: number): boolean {
  const speedOf = ({ seconds, many = 1 }: Run) => (many * size) / MiB / median(seconds);
  let good = true;
  say(
    '\n| door | MiB/s | of raw | wanted | memory + MiB | wanted | CPU ms a MiB |\n' +
      '|---|---|---|---|---|---|---|',
  );
  for (const one of runs) {
    const base = runs.find(({ name, many }) => name.startsWith('raw') && many === one.many)!;
    // Each round against its own: what else the machine did then, it did to both.
    const ratio = median(one.seconds.map((seconds, n) => base.seconds[n]! / seconds));
    const grown = Math.max(...one.grown);
    if (ratio < (one.least ?? 0) || grown > (one.growth ?? Infinity)) good = false;
    const cpu = (1000 * median(one.cpu)) / (((one.many ?? 1) * size) / MiB);
    say(
      `| ${one.name} | ${speedOf(one).toFixed(0)} | ${ratio.toFixed(2)} | ${one.least ?? ''} | ` +
        `${grown.toFixed(0)} | ${one.growth ?? ''} | ${cpu.toFixed(2)} |`,
    );
  }
  return good;
}

async function main(): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-bench-'));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const rawFiles = join(directory, 'raw');
  await mkdir(rawFiles);
  const bare = await startRaw(rawFiles, parts);
  const env = {
    DATA_DIR: join(directory, 'desk'),
    MAX_ATTACHMENT_BYTES: String(1024 * MiB),
    MAX_MESSAGE_ATTACHMENTS_BYTES: String(2047 * MiB),
    MAX_UPLOADED_BYTES: String(1024 * 1024 * MiB),
  };
  const gateway = parts.use(await startGatewayProcess(env));
  const desk = { pid: gateway.pid, files: join(env.DATA_DIR, 'blobs') };
  const one = (name: string, server: Server, door: Door, wanted: Partial<Run> = {}): Run => ({
    ...{ name, server, door, seconds: [], cpu: [], grown: [] },
    ...wanted,
  });
  const raw = rawDoor(bare.url);
  const uploads = uploadsDoor(gateway.url);
  const single = [
    one('raw node:http, sha256, fsync', bare, raw),
    one('POST /uploads', desk, uploads, { least: 0.85, growth: 40 }),
    one('POST /uploads, resumable', desk, uploadsDoor(gateway.url, { 'upload-complete': '?1' }), {
      least: 0.85,
      growth: 40,
    }),
    one('GraphQL multipart', desk, multipartDoor(gateway.url), { least: 0.75, growth: 60 }),
  ];
  const many = [
    one(`raw, ${parallel} at a time`, bare, raw, { many: parallel }),
    one(`POST /uploads, ${parallel} at a time`, desk, uploads, { many: parallel }),
    one(`GraphQL multipart, ${parallel} at a time`, desk, multipartDoor(gateway.url), { many: parallel }),
  ];
  const [size, part] = [megabytes * MiB, Math.ceil(megabytes / parallel) * MiB];
  const digests = { size: digestOf(size), part: digestOf(part), warm: digestOf(64 * MiB) };
  for (const warm of [...single, ...many])
    await run({ ...warm, seconds: [], cpu: [], grown: [] }, 64 * MiB, digests.warm);
  for (let round = 1; round <= rounds; round += 1) {
    for (const each of single) await run(each, size, digests.size);
    for (const each of many) await run(each, part, digests.part);
    const latest = [...single, ...many].map(({ seconds }) => `${seconds.at(-1)!.toFixed(1)} s`);
    say(`round ${round}: ${latest.join(', ')}`);
  }
  say(
    `\n${megabytes} MiB a file, the median of ${rounds} rounds; ` +
      `${parallel} at a time: ${part / MiB} MiB each.`,
  );
  const good = report(single, size);
  report(many, part);
  process.exitCode = good ? 0 : 1;
}

await main();
