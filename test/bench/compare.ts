/*
 * npm run bench:compare -- --before COMMIT|DIRECTORY [--rounds N] [--seconds S] [--warm S] [--scenario TEXT]
 * [--dialect ours|legacy] [--json FILE] [--dir DIRECTORY]
 *
 * What a change costs: this tree's gateway and that of an older commit, each with a PostgreSQL of its own, by
 * turns within a round. The ratios are medians over the rounds, so that what else the machine does falls on
 * both. CPU is more reliable than operations a second: it hardly depends on other load.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Contender, Dialect } from './contenders.ts';
import { median, type Round, roundOf } from './report.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { cpuOf } from './support/cpu.ts';
import { run } from './support/load.ts';
import { openOldTree } from './support/old-tree.ts';
import type { Running } from './support/servers.ts';
import { defaultDirectory, type World } from './world.ts';

const { values: options } = parseArgs({
  options: {
    before: { type: 'string' },
    rounds: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '1' },
    warm: { type: 'string', default: '4' },
    scenario: { type: 'string', multiple: true, default: ['write, 32 callers, distinct', 'write, 1 caller'] },
    dialect: { type: 'string', default: 'ours' },
    json: { type: 'string' },
    dir: { type: 'string', default: defaultDirectory },
  },
});
const dialect = options.dialect as Dialect;
const say = (text: string) => void process.stdout.write(`${text}\n`);

interface Side {
  readonly name: string;
  readonly world: World;
  readonly running: Running;
}
const gateway: Contender = {
  ...{ name: 'gateway', process: 'compared', program: 'src/main.ts' },
  ...{ dialect, isGateway: true },
};

async function main(before: string): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const old = parts.use(openOldTree(before));
  const here = join(import.meta.dirname, '../..');
  const sides = [await start('before', old.path, parts), await start('now', here, parts)];
  const results = [];
  for (const scenario of scenarios(true).filter(({ name }) =>
    options.scenario.some((t) => name.includes(t)),
  )) {
    const rounds = await measure(scenario, sides);
    say(tableOf(scenario.name, rounds));
    results.push({ scenario: scenario.name, rounds });
  }
  if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
}

/** Each tree has its own migrations and seeds, so it makes its own world. */
async function start(name: string, path: string, parts: AsyncDisposableStack): Promise<Side> {
  const of = (file: string) => import(join(path, 'test/bench', file));
  const { createWorld } = (await of('world.ts')) as typeof import('./world.ts');
  const { startAll } = (await of('support/servers.ts')) as typeof import('./support/servers.ts');
  const directory = join(options.dir, name);
  const world = parts.use(await createWorld(directory));
  const [running] = await startAll(world, [gateway], join(directory, 'gateway'));
  return { name, world, running: parts.use(running!) };
}

async function measure(scenario: Scenario, sides: readonly Side[]): Promise<Round[][]> {
  const found: Round[][] = sides.map(() => []);
  for (let round = 0; round <= Number(options.rounds); round++)
    for (let turn = 0; turn < sides.length; turn++) {
      const at = (turn + round) % sides.length;
      const result = await measureOnce(scenario, sides[at]!, round);
      // Round 0 is to warm up.
      if (round > 0) found[at]!.push(result);
    }
  return found;
}

/** Milliseconds at the beginning of a turn that are not counted: the process has slept meanwhile. */
const leadMs = 200;

async function measureOnce(
  scenario: Scenario,
  { name, world, running }: Side,
  round: number,
): Promise<Round> {
  const load = (durationMs: number) =>
    run({
      ...{ port: running.port, callers: scenario.callers, durationMs },
      request: (caller) => scenario.request(dialect, world.token, caller)!,
      problem: (body, caller) => scenario.problem(dialect, body, caller),
    });
  await load(leadMs);
  const database = cpuOf(world.serverPid, { withChildren: true });
  const server = cpuOf(running.pid);
  const measured = await load(Number(round === 0 ? options.warm : options.seconds) * 1000);
  if (measured.problems > 0) throw new Error(`${name}, ${scenario.name}: ${measured.firstProblem}`);
  const serverMs = cpuOf(running.pid) - server;
  return roundOf(round, measured, serverMs, cpuOf(world.serverPid, { withChildren: true }) - database);
}

const figures: Readonly<Record<string, (round: Round) => number>> = {
  'gateway CPU, µs': (r) => r.serverCpuMs * 1000,
  'PostgreSQL CPU, µs': (r) => r.databaseCpuMs * 1000,
  'both, µs': (r) => (r.serverCpuMs + r.databaseCpuMs) * 1000,
  'operations a second': (r) => r.perSecond,
  'p50, ms': (r) => r.p50Ms,
};

function tableOf(name: string, [before, now]: Round[][]): string {
  const lines = Object.entries(figures).map(([what, of]) => {
    const ratio = median(now!.map((round, i) => of(round) / of(before![i]!)));
    const [a, b] = [before!, now!].map((rounds) => median(rounds.map(of)).toPrecision(4).padStart(9));
    return `  ${what.padEnd(20)} ${a} ${b}   × ${ratio.toFixed(3)}`;
  });
  const head = `${name}, ${before!.length} rounds: before, now, median of the ratios`;
  return `\n${head}\n${lines.join('\n')}`;
}

if (options.before === undefined) {
  say('Which tree to compare with? --before COMMIT or --before DIRECTORY');
  process.exitCode = 2;
} else await main(options.before);
