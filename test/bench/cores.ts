/*
 * npm run bench -- --cores [--rounds N] [--seconds S] [--dir DIRECTORY]
 *
 * What a second gateway process is worth on this machine: the same callers against one process and against
 * two of the same database, in turns. On a machine of few cores the database and the callers are using the
 * others already.
 */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Contender } from './contenders.ts';
import { printTable, type Round, roundOf, summarise } from './report.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { cpuOf } from './support/cpu.ts';
import { type Measured, run } from './support/load.ts';
import { type Running, startAll } from './support/servers.ts';
import { createWorld, defaultDirectory, type World } from './world.ts';

const { values: options } = parseArgs({
  options: {
    cores: { type: 'boolean' },
    rounds: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '1' },
    dir: { type: 'string', default: defaultDirectory },
  },
});
const say = (text: string) => void process.stdout.write(`${text}\n`);
const gateway = (n: number): Contender => ({
  name: `gateway ${n}`,
  program: 'src/main.ts',
  dialect: 'ours',
  process: `cores_${n}`,
  databaseOf: 'cores',
  isGateway: true,
});

async function main(): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const world = parts.use(await createWorld(options.dir));
  const running = await startAll(world, [gateway(1), gateway(2)], join(options.dir, 'gateway'));
  for (const one of running) parts.use(one);
  say(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}`);
  const all = scenarios(false).filter(({ callers }) => callers === 32);
  for (const scenario of all) {
    const sets = [running.slice(0, 1), running];
    const found: Round[][] = sets.map(() => []);
    for (let round = 0; round <= Number(options.rounds); round++) {
      for (let turn = 0; turn < sets.length; turn++) {
        const i = (turn + round) % sets.length;
        const result = await measure(world, scenario, sets[i]!, round);
        if (round > 0) found[i]!.push(result);
      }
    }
    const names = ['one process', 'two processes'];
    const rows = found.map((own, i) => ({ contender: names[i]!, rounds: own }));
    say(printTable(scenario.name, 'one', summarise(rows)));
  }
}

async function measure(world: World, scenario: Scenario, set: readonly Running[], round: number) {
  const cpu = () => set.reduce((sum, { pid }) => sum + cpuOf(pid), 0);
  const serverBefore = cpu();
  const databaseBefore = cpuOf(world.serverPid, { withChildren: true });
  const each = scenario.callers / set.length;
  const parts = await Promise.all(
    set.map(({ port }, i) =>
      run({
        port,
        callers: each,
        durationMs: Number(options.seconds) * 1000,
        request: (caller) => scenario.request('ours', world.token, i * each + caller)!,
        problem: (answer, caller) => scenario.problem('ours', answer, i * each + caller),
      }),
    ),
  );
  const whole = together(parts);
  if (whole.problems > 0) throw new Error(`${scenario.name}: ${whole.firstProblem}`);
  const databaseMs = cpuOf(world.serverPid, { withChildren: true }) - databaseBefore;
  return roundOf(round, whole, cpu() - serverBefore, databaseMs);
}

const together = (parts: readonly Measured[]): Measured => ({
  operations: parts.reduce((sum, { operations }) => sum + operations, 0),
  elapsedMs: Math.max(...parts.map(({ elapsedMs }) => elapsedMs)),
  latenciesMs: Float64Array.from(parts.flatMap(({ latenciesMs }) => [...latenciesMs])).sort(),
  // All callers are in this one process.
  callersCpuMs: Math.max(...parts.map(({ callersCpuMs }) => callersCpuMs)),
  problems: parts.reduce((sum, { problems }) => sum + problems, 0),
  firstProblem: parts.find(({ firstProblem }) => firstProblem)?.firstProblem,
});

await main();
