/*
 * npm run bench [-- --full] [--rounds N] [--seconds S] [--warm S] [--only TEXT] [--scenario TEXT] [--json
 * FILE] [--dir DIRECTORY] npm run bench -- --growth | --cores …: see growth.ts and cores.ts
 *
 * Measures the gateway against R and against what people would build instead, on one PostgreSQL, interleaved:
 * in each round every contender has its turn, in an order that rotates. Ratios are taken within a round;
 * medians over the rounds are printed. It fails if one answer is wrong, or if the rows do not match what was
 * acknowledged.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contenders } from './contenders.ts';
import { printTable, type Round, type Row, roundOf, summarise } from './report.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { cpuOf } from './support/cpu.ts';
import { run } from './support/load.ts';
import { type Counts, countRows, wrongRows } from './support/rows.ts';
import { poolSize, type Running, startAll } from './support/servers.ts';
import { createWorld, defaultDirectory, type World } from './world.ts';

const { values: options } = parseArgs({
  options: {
    growth: { type: 'boolean' },
    sizes: { type: 'string' },
    cores: { type: 'boolean' },
    full: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    warm: { type: 'string' },
    only: { type: 'string', multiple: true },
    scenario: { type: 'string', multiple: true },
    json: { type: 'string' },
    dir: { type: 'string', default: defaultDirectory },
  },
});
const rounds = Number(options.rounds ?? (options.full ? 10 : 6));
const seconds = Number(options.seconds ?? (options.full ? 5 : 1));
const warm = Number(options.warm ?? 4);
const say = (text: string) => void process.stdout.write(`${text}\n`);
const among = (wanted: readonly string[] | undefined, name: string) =>
  wanted?.some((part) => name.toLowerCase().includes(part.toLowerCase())) ?? true;

async function main(): Promise<void> {
  installPeers();
  const list = contenders.filter(({ name }) => name === 'R' || among(options.only, name));
  const todo = scenarios(options.full).filter(({ name }) => among(options.scenario, name));
  await using parts = new AsyncDisposableStack();
  const world = parts.use(await createWorld(options.dir));
  const running = await startAll(world, list, join(options.dir, 'gateway'));
  for (const one of new Set(running.map(({ pid }) => running.find((r) => r.pid === pid)!))) parts.use(one);
  say(
    `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; pool of ${poolSize}, ` +
      `${rounds} rounds of ${seconds} s`,
  );

  const before = new Map<string, Counts>();
  const acknowledged = new Map<string, number>();
  for (const { database } of running) before.set(database, await countedIn(world, database));
  const results = [];
  for (const scenario of todo) {
    const rows = await measure(world, scenario, running, acknowledged);
    const summaries = summarise(rows);
    say(printTable(scenario.name, rows[0]!.contender, summaries));
    results.push({ scenario: scenario.name, callers: scenario.callers, summaries, rows });
  }
  await checkRows(world, before, acknowledged);
  if (options.json) {
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
    writeFileSync(
      options.json,
      `${JSON.stringify({ machine, rounds, seconds, poolSize, results }, null, 2)}\n`,
    );
  }
}

/** The peers have packages and a lock of their own: the gateway does not depend on them. */
function installPeers(): void {
  const here = fileURLToPath(new URL('.', import.meta.url));
  if (existsSync(join(here, 'node_modules/.package-lock.json'))) return;
  say('installing the peers …');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: here,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('npm ci failed in test/bench');
}

async function measure(
  world: World,
  scenario: Scenario,
  running: readonly Running[],
  acknowledged: Map<string, number>,
): Promise<Row[]> {
  const able = running.filter(
    ({ contender }) => scenario.request(contender.dialect, world.token, 0) !== undefined,
  );
  const found = new Map<Running, Round[]>(able.map((one) => [one, []]));
  // Round 0 is to warm up: compilers, plans, pools. The same for all, and long enough for the slowest of
  // them.
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < able.length; turn++) {
      const one = able[(turn + round) % able.length]!;
      const result = await measureOnce(world, scenario, one, round, acknowledged);
      if (round > 0) found.get(one)!.push(result);
    }
  }
  return able.map((one) => ({ contender: one.contender.name, rounds: found.get(one)! }));
}

/**
 * Milliseconds at the beginning of a turn that are not counted: the process has slept while the others had
 * theirs.
 */
const leadMs = 300;

async function measureOnce(
  world: World,
  scenario: Scenario,
  { contender: { dialect, name }, port, pid, database }: Running,
  round: number,
  acknowledged: Map<string, number>,
): Promise<Round> {
  const load = (durationMs: number) =>
    run({
      port,
      callers: scenario.callers,
      durationMs,
      request: (caller) => scenario.request(dialect, world.token, caller)!,
      problem: (body, caller) => scenario.problem(dialect, body, caller),
    });
  const lead = await load(leadMs);
  const databaseBefore = cpuOf(world.serverPid, { withChildren: true });
  const serverBefore = cpuOf(pid);
  const measured = await load((round === 0 ? warm : seconds) * 1000);
  const serverMs = cpuOf(pid) - serverBefore;
  const databaseMs = cpuOf(world.serverPid, { withChildren: true }) - databaseBefore;
  for (const { problems, firstProblem } of [lead, measured]) {
    if (problems > 0)
      throw new Error(`${name}, ${scenario.name}: ${problems} wrong answers: ${firstProblem}`);
  }
  const operations = lead.operations + measured.operations;
  if (scenario.writes) acknowledged.set(database, (acknowledged.get(database) ?? 0) + operations);
  return roundOf(round, measured, serverMs, databaseMs);
}

async function countedIn(world: World, database: string): Promise<Counts> {
  const sql = world.connect(database);
  try {
    return await countRows(sql);
  } finally {
    await sql.end();
  }
}

async function checkRows(
  world: World,
  before: ReadonlyMap<string, Counts>,
  acknowledged: ReadonlyMap<string, number>,
): Promise<void> {
  for (const [database, counts] of before) {
    const sql = world.connect(database);
    const wrong = await wrongRows(sql, counts, acknowledged.get(database) ?? 0);
    await sql.end();
    if (wrong.length > 0) throw new Error(`${database}: ${wrong.join('; ')}`);
  }
  const total = [...acknowledged.values()].reduce((sum, count) => sum + count, 0);
  say(
    `rows checked in ${before.size} databases: ${total} acknowledged messages, each there once, whole ` +
      'and counted',
  );
}

if (options.growth) await import('./growth.ts');
else if (options.cores) await import('./cores.ts');
else await main();
