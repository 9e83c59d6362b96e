/*
 * Kills a gateway repeatedly while many clients write and mails are sent, and then compares three records:
 * what the clients were answered, what is stored, and what the mail server accepted.
 *
 * node test/crash/gateway/run.ts [--rounds 20] [--seed 1]
 */
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { openDatabase } from '../../../src/db/database.ts';
import { attachEmbedded } from '../../../src/dev/embedded-postgres/start-postgres.ts';
import { everyKey } from '../../../src/storage/blob-store.ts';
import { createDiskStore } from '../../../src/storage/disk/store.ts';
import { collectGarbage } from '../../../src/storage/garbage/collect.ts';
import { type SinkProcess, startSinkProcess } from '../../support/servers/smtp-sink-process.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { between, seeded } from '../support/random.ts';
import { ClientLog } from './client-log.ts';
import { type Comparison, compare } from './compare.ts';
import { startLoad } from './load.ts';
import { countOpenAttempts, countUnsettled, endLeasesOf } from './rows.ts';

/** Enough that twenty are always under way. */
const clients = 40;
const leastAcknowledged = 50;
const leastInFlight = 20;
const settledWithinMs = 90_000;

interface Killed {
  readonly pid: number;
  readonly what: string;
  readonly acknowledged: number;
  readonly inFlight: number;
}

export interface World {
  readonly directory: string;
  readonly dataDir: string;
  readonly journal: string;
  readonly sink: SinkProcess;
  readonly log: ClientLog;
  readonly random: () => number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
  const rounds = Number(values.rounds ?? 20);
  const seed = Number(values.seed ?? 1);
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-crash-'));
  // PostgreSQL runs as another user when we are root, and has to pass.
  await chmod(directory, 0o711);
  say(`seed ${seed}, ${rounds} rounds, ${directory}`);
  const violations = await run(directory, rounds, seed, say);
  for (const violation of violations.slice(0, 50)) say(`VIOLATION ${violation}`);
  if (violations.length === 0) await rm(directory, { recursive: true, force: true });
  say(
    violations.length === 0
      ? 'no violation'
      : `${violations.length} violations; what there was is in ${directory}`,
  );
  return violations.length === 0 ? 0 : 1;
}

/** @returns the violations of all rounds, in words */
export async function run(
  directory: string,
  rounds: number,
  seed: number,
  say: (line: string) => void,
): Promise<string[]> {
  const journal = join(directory, 'mails');
  await mkdir(join(directory, 'tmp'), { recursive: true });
  await using sink = await startSinkProcess(journal);
  const world: World = {
    directory,
    dataDir: join(directory, 'data'),
    journal,
    sink,
    log: new ClientLog(join(directory, 'clients')),
    random: seeded(seed),
  };
  const violations: string[] = [];
  let gateway = await start(world);
  say(
    row([
      'round',
      'killed',
      'acked',
      'in flight',
      'of these stored',
      'mails in flight',
      'sent',
      'unknown',
      'of these received',
      'violations',
      'seconds',
    ]),
  );
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const startedAt = performance.now();
      const killed = await loadAndKill(world, gateway, round);
      gateway = await start(world);
      const { open, result } = await settleAndCompare(world, killed, round);
      const wrong = [...judge(killed, open, result), ...result.violations];
      violations.push(...wrong.map((text) => `round ${round}: ${text}`));
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      say(
        row([
          ...[round, killed.what, killed.acknowledged, killed.inFlight, result.unacknowledgedStored],
          ...[
            `${open.before}+${open.body}`,
            result.sent,
            result.unknown,
            result.unknownReceived,
            wrong.length,
            seconds,
          ],
        ]),
      );
    }
    violations.push(...(await collectAndCount(world)));
    const code = await gateway.stop();
    if (code !== 0) violations.push(`the gateway ended with ${code} on SIGTERM`);
  } finally {
    await gateway.kill();
  }
  return violations;
}

const widths = [5, 18, 6, 10, 16, 16, 6, 8, 18, 11, 8];
const row = (cells: readonly (string | number)[]) =>
  cells.map((cell, n) => String(cell).padStart(widths[n]!)).join(' ');

const start = ({ dataDir, sink, directory }: World): Promise<GatewayProcess> =>
  startGatewayProcess({ DATA_DIR: dataDir, SMTP_URL: sink.url, TMPDIR: join(directory, 'tmp') });

/**
 * Lets the clients write until enough was acknowledged and enough is under way, and kills then, mostly the
 * gateway alone.
 */
async function loadAndKill(world: World, gateway: GatewayProcess, round: number): Promise<Killed> {
  const { random, sink, dataDir } = world;
  // A slow mail server, so that mails are under way: at their first bytes, after their last, or already
  // taken.
  const at = (['BODY', 'DOT', 'REPLY'] as const)[between(random, 0, 2)]!;
  sink.setFaults([{ at, delayMs: between(random, 5, 60) }]);
  const load = startLoad(gateway.url, { round, clients, random, log: world.log });
  const enough = leastAcknowledged + between(random, 0, 200);
  const deadline = Date.now() + 60_000;
  while (load.acknowledged < enough || load.inFlight < leastInFlight) {
    if (Date.now() > deadline || gateway.child.exitCode !== null)
      throw new Error(`only ${load.acknowledged} acknowledged:\n${gateway.output.join('\n')}`);
    await sleep(1);
  }
  await sleep(random() * 20);
  const { acknowledged, inFlight } = load;
  const withDatabase = round % 3 === 0;
  if (withDatabase) process.kill(serverOf(dataDir), 'SIGKILL');
  const gone = gateway.kill();
  await load.stop();
  await gone;
  sink.setFaults([]);
  return { pid: gateway.pid, what: withDatabase ? 'gateway, database' : 'gateway', acknowledged, inFlight };
}

const serverOf = (dataDir: string): number =>
  Number(readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);

async function settleAndCompare(world: World, killed: Killed, round: number) {
  const sql = postgres({ ...((await attachEmbedded(world.dataDir)) as object), max: 1, onnotice: () => {} });
  try {
    const open = await countOpenAttempts(sql, killed.pid);
    await endLeasesOf(sql, killed.pid);
    const deadline = Date.now() + settledWithinMs;
    while ((await countUnsettled(sql)) > 0 && Date.now() < deadline) await sleep(50);
    const blobs = join(world.dataDir, 'blobs');
    return { open, result: await compare(sql, world.log, { round, journal: world.journal, blobs }) };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function judge(killed: Killed, open: { before: number; body: number }, { unknown }: Comparison): string[] {
  const wrong: string[] = [];
  if (killed.acknowledged < leastAcknowledged)
    wrong.push(`killed after ${killed.acknowledged} acknowledgements`);
  if (killed.inFlight < leastInFlight) wrong.push(`killed with ${killed.inFlight} calls in flight`);
  if (unknown > open.body) wrong.push(`${unknown} mails unknown with ${open.body} going out at the kill`);
  return wrong;
}

/** After garbage collection, there is a file for each row and a row for each file. */
async function collectAndCount({ dataDir }: World): Promise<string[]> {
  await using database = openDatabase((await attachEmbedded(dataDir))!, { poolSize: 2 });
  const store = createDiskStore(join(dataDir, 'blobs'));
  // A kill under load leaves more than an ordinary hour does.
  const { off } = await collectGarbage(database.desk, store, new Date(), { anyShare: true });
  if (off !== undefined) return [`nothing was collected: ${off}`];
  const files = new Set<string>();
  for await (const { key } of store.list(everyKey)) files.add(key);
  const rows = await database.raw<{ key: string }[]>`select key from blobs`;
  const missing = rows.filter(({ key }) => !files.has(key)).length;
  return missing === 0 && rows.length === files.size
    ? []
    : [`${rows.length} blobs in rows, ${files.size} on disk, ${missing} missing`];
}

if (import.meta.main) process.exitCode = await main();
