import { setTimeout as sleep } from 'node:timers/promises';
import { claimsPerConnection } from '../../../src/mail/worker/mailbox-slots.ts';
import type { WorkerStep } from '../../../src/mail/worker/steps.ts';
import type { WorkerProcess } from '../../mail/world/worker-process.ts';
import { readJournal } from '../../support/servers/smtp-sink-process.ts';
import { type CrashWorld, leaseSeconds } from './world.ts';

/** The deaths that the harness itself observed, to compare with the ledger. */
export interface Deaths {
  readonly diedAtBody: Set<number>;
  readonly cutAfterDot: Set<number>;
}

/**
 * Mails that a worker with one connection has claimed at most: so many for each victim, and each of them has
 * some.
 */
const mailsPerWorker = claimsPerConnection;
const patience = 8000;

const stoppedInTime = (worker: WorkerProcess) =>
  Promise.race([worker.stopped(), sleep(patience, undefined, { ref: false })]);

/** Deliveries at BODY according to the ledger. If their worker is dead, their outcome stays unknown. */
async function atBody(world: CrashWorld, pid: number): Promise<number[]> {
  // What the dead process had asked of PostgreSQL is still done: its commits are part of its life.
  const backends = () => world.sql`select from pg_stat_activity where application_name = ${`worker ${pid}`}`;
  while ((await backends()).length > 0) await sleep(10);
  const rows = await world.sql<{ id: number }[]>`
    select d.id from deliveries d join delivery_attempts a on a.delivery_id = d.id and a.number = d.attempts
    where d.state = 'TRANSMITTING' and d.phase = 'BODY' and split_part(a.worker, ':', 2) = ${String(pid)}`;
  return rows.map(({ id }) => id);
}

/** Lets several workers reach the step and kills each there. @returns how many were killed */
export async function killWorkers(
  world: CrashWorld,
  step: WorkerStep,
  victims: number,
  deaths: Deaths,
): Promise<number> {
  await world.queue(victims * mailsPerWorker);
  const killed = await Promise.all(
    Array.from({ length: victims }, async () => {
      const worker = await world.worker([step]);
      const stopped = await stoppedInTime(worker);
      await sleep(world.random() * 40);
      await worker.kill();
      for (const id of await atBody(world, worker.child.pid!)) deaths.diedAtBody.add(id);
      return stopped !== undefined;
    }),
  );
  return killed.filter(Boolean).length;
}

/**
 * Several workers are frozen at the step past their leases, while another does their work, and then woken.
 */
export async function freezeWorkers(world: CrashWorld, step: WorkerStep, victims: number): Promise<number> {
  await world.queue(victims * mailsPerWorker);
  const workers = await Promise.all(Array.from({ length: victims }, () => world.worker([step])));
  const stopped = await Promise.all(workers.map(stoppedInTime));
  for (const worker of workers) worker.child.kill('SIGSTOP');
  const heir = await world.worker([], 5);
  await sleep(leaseSeconds * 1000 + 700);
  for (const worker of workers) {
    worker.stopAt([]);
    worker.go();
    worker.child.kill('SIGCONT');
  }
  await settled(world);
  for (const worker of [...workers, heir]) {
    const ended = new Promise((resolve) => worker.child.once('exit', resolve));
    worker.child.kill('SIGTERM');
    await ended;
  }
  return stopped.filter((one) => one !== undefined).length;
}

/**
 * Where a server dies: at a step of the worker, or after the final dot before (`dot`) or after (`reply`) it
 * took the mail.
 */
export const sinkSteps = [
  'connecting',
  'accepted-354',
  'body-open',
  'body-written',
  'dot',
  'reply',
  'answered',
] as const;
export type SinkStep = (typeof sinkSteps)[number];

/** The server is killed while a living worker is at the step with one mail, and started again. */
export async function killSink(
  world: CrashWorld,
  worker: WorkerProcess,
  step: SinkStep,
  deaths: Deaths,
): Promise<number> {
  const afterDot = step === 'dot' || step === 'reply';
  if (afterDot) world.sink().setFaults([{ at: step === 'dot' ? 'DOT' : 'REPLY', answer: 'hang', times: 1 }]);
  worker.stopAt([afterDot ? 'body-written' : step]);
  // A line to the sink is read before the next connection is served.
  await sleep(20);
  await world.queue(1);
  const stopped = await stoppedInTime(worker);
  worker.stopAt([]);
  if (stopped === undefined) return 0;
  if (afterDot) {
    const before = readJournal(world.journal).length;
    worker.go();
    for (
      let n = 0;
      n < 200 && (step === 'dot' ? n < 8 : readJournal(world.journal).length === before);
      n += 1
    )
      await sleep(10);
    deaths.cutAfterDot.add(stopped.deliveryId);
  }
  await world.killSink();
  worker.go();
  await settled(world);
  return 1;
}

/** Waits until nothing is in progress or due. Postponed mails become due immediately. */
export async function settled(world: CrashWorld, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const [row] = await world.sql<{ open: number }[]>`
      select count(*)::int as open from deliveries
      where state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING')`;
    if (row!.open === 0) return;
    if (Date.now() > deadline) throw new Error(`${row!.open} mails are still open`);
    await world.sql`update deliveries set due_at = now() where state = 'DEFERRED' and due_at > now()`;
    await world.sql`select pg_notify('ticketwire_outbox', '')`;
    await sleep(50);
  }
}
