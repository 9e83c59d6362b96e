import { parseArgs } from 'node:util';
import { type WorkerStep, workerSteps } from '../../../src/mail/worker/steps.ts';
import { readJournal } from '../../support/servers/smtp-sink-process.ts';
import { check } from './check.ts';
import { type Deaths, freezeWorkers, killSink, killWorkers, settled, sinkSteps } from './incidents.ts';
import { createCrashWorld, seeded } from './world.ts';

/*
 * Kills the mail worker and the mail server at every step between a message's commit and the end of its mail,
 * and freezes workers past their leases; then compares the ledger with what the server accepted. Exits 1 when
 * a mail was lost or doubled, or a state is wrong.
 *
 * node test/crash/mail/run.ts [--seed 1] [--times 20]
 */

/** Victims at once. */
const together = 4;
const frozenSteps: readonly WorkerStep[] = workerSteps.filter((step) => step !== 'settled');

async function main(seed: number, times: number): Promise<number> {
  const began = performance.now();
  const deaths: Deaths = { diedAtBody: new Set(), cutAfterDot: new Set() };
  const table: { step: string; incident: string; times: number }[] = [];
  await using world = await createCrashWorld(seed);

  for (const { kind, step } of shuffle(schedule(), seeded(seed + 1))) {
    let done = 0;
    for (let round = 0; done < times && round < times * 2; round += 1) {
      const victims = Math.min(together, times - done);
      done +=
        kind === 'kill -9 worker'
          ? await killWorkers(world, step, victims, deaths)
          : await freezeWorkers(world, step, victims);
    }
    table.push({ step, incident: kind, times: done });
    say(`${kind} at ${step}: ${done}`);
  }
  const worker = await world.worker([], 5);
  await settled(world);
  for (const step of sinkSteps) {
    let done = 0;
    for (let round = 0; done < times && round < times * 2; round += 1)
      done += await killSink(world, worker, step, deaths);
    table.push({ step, incident: 'kill -9 server', times: done });
    say(`kill -9 server at ${step}: ${done}`);
  }
  await settled(world);
  await worker.kill();

  const verdict = await check(world.sql, readJournal(world.journal), deaths.diedAtBody, deaths.cutAfterDot);
  print(table);
  const total = table.reduce((sum, row) => sum + row.times, 0);
  say(
    `seed ${seed}: ${total} incidents over ${verdict.mails} mails in ` +
      `${Math.round((performance.now() - began) / 1000)} s`,
  );
  say(
    `the server took ${verdict.taken}; SENT ${verdict.sent}, OUTCOME_UNKNOWN ${verdict.unknown} ` +
      `(${deaths.diedAtBody.size} died at BODY, ${deaths.cutAfterDot.size} lost their server after the dot)`,
  );
  const doubled = verdict.faults.filter((fault) => fault.includes('times')).length;
  const lost = verdict.faults.filter(
    (fault) => fault.includes('never taken') || fault.includes('ended'),
  ).length;
  say(`lost ${lost}, doubled ${doubled}, other faults ${verdict.faults.length - lost - doubled}`);
  for (const fault of verdict.faults.slice(0, 20)) say(`  ${fault}`);
  const short = table.filter((row) => row.times < times);
  for (const row of short) say(`  ${row.incident} at ${row.step}: only ${row.times} of ${times}`);
  return verdict.faults.length === 0 && short.length === 0 ? 0 : 1;
}

function schedule(): { kind: 'kill -9 worker' | 'SIGSTOP worker'; step: WorkerStep }[] {
  return [
    ...workerSteps.map((step) => ({ kind: 'kill -9 worker' as const, step })),
    ...frozenSteps.map((step) => ({ kind: 'SIGSTOP worker' as const, step })),
  ];
}

function shuffle<T>(items: T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

function print(table: readonly { step: string; incident: string; times: number }[]): void {
  const incidents = ['kill -9 worker', 'SIGSTOP worker', 'kill -9 server'];
  const steps = [...new Set([...workerSteps, ...sinkSteps])];
  say(['step'.padEnd(14), ...incidents.map((one) => one.padStart(15))].join(''));
  for (const step of steps) {
    const cells = incidents.map(
      (one) => table.find((row) => row.step === step && row.incident === one)?.times ?? '',
    );
    say([step.padEnd(14), ...cells.map((cell) => String(cell).padStart(15))].join(''));
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, times: { type: 'string', default: '20' } },
});
process.exitCode = await main(Number(values.seed), Number(values.times));
