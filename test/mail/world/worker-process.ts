import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import type { Connection } from '../../../src/db/database.ts';
import type { WorkerStep } from '../../../src/mail/worker/steps.ts';
import { createWorker } from '../../../src/mail/worker/worker.ts';
import { createLog } from '../../../src/platform/log.ts';

/*
 * The worker in its own process, for tests that kill it. It stops at the given steps, reports that, and
 * continues on `go`, so that a test can kill it at exactly that step or suspend it past its lease.
 */

export interface WorkerProcessOptions {
  connection: Connection;
  smtpUrl: string;
  leaseSeconds: number;
  /** Steps at which it waits for `go`. */
  stopAt: readonly WorkerStep[];
  /** Folder whose files are the blobs. */
  blobs?: string;
  connections?: number;
}
export interface Stopped {
  step: WorkerStep;
  deliveryId: number;
}

export interface WorkerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Resolves when the process waits at a step; each stop is given once. */
  stopped(): Promise<Stopped>;
  /** Lets a delivery continue from the step at which it waits; without an id, all of them. */
  go(deliveryId?: number): void;
  /** Other steps to stop at from now on. */
  stopAt(steps: readonly WorkerStep[]): void;
  /** Resolves when the process has been through several turns of its loop. */
  turns(): Promise<void>;
  /** Ends it as a gateway ends: what it has begun it finishes. */
  end(): Promise<void>;
  kill(): Promise<void>;
}

export async function startWorkerProcess(options: WorkerProcessOptions): Promise<WorkerProcess> {
  const child = fork(fileURLToPath(import.meta.url), [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const stops: Stopped[] = [];
  const waiting: ((stopped: Stopped) => void)[] = [];
  const ready = once(child, 'message');
  child.send(options);
  await ready;
  child.on('message', (stopped: Stopped | 'turned') => {
    if (stopped === 'turned') return;
    const next = waiting.shift();
    if (next) next(stopped);
    else stops.push(stopped);
  });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    child,
    stopped: () =>
      stops.length > 0 ? Promise.resolve(stops.shift()!) : new Promise((resolve) => waiting.push(resolve)),
    go: (deliveryId) => void child.send({ go: deliveryId ?? 'all' }),
    stopAt: (steps) => void child.send({ stopAt: steps }),
    async turns() {
      for (let n = 0; n < 20; n += 1) {
        const turned = once(child, 'message');
        child.send({ turn: true });
        await turned;
      }
    },
    async end() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

interface Order {
  readonly go?: number | 'all';
  readonly turn?: boolean;
  readonly stopAt?: readonly WorkerStep[];
}

async function main(): Promise<void> {
  const [options] = (await once(process, 'message')) as [WorkerProcessOptions];
  // As openDatabase has it, without Drizzle: hundreds of these processes are started, and it would be most of
  // what each costs.
  const sql = postgres({
    ...(options.connection as object),
    max: 2,
    onnotice: () => {},
    connection: {
      application_name: `worker ${process.pid}`,
      role: 'ticketwire_app',
      'ticketwire.viewer_role': 'DESK',
      TimeZone: 'UTC',
    },
  } as postgres.Options<Record<string, never>>);
  const held = new Map<number, () => void>();
  let { stopAt } = options;
  process.on('message', ({ go, turn, ...others }: Order) => {
    if (turn) process.send!('turned');
    if (others.stopAt !== undefined) stopAt = others.stopAt;
    if (go === undefined) return;
    for (const [id, resolve] of held) {
      if (go !== 'all' && go !== id) continue;
      held.delete(id);
      resolve();
    }
  });
  process.on('disconnect', () => process.exit());
  const worker = createWorker({
    sql,
    blobs: { open: async (key) => createReadStream(join(options.blobs ?? '.', key)) },
    log: createLog('silent'),
    now: () => new Date(),
    smtpUrl: options.smtpUrl,
    mailboxKey: undefined,
    leaseSeconds: options.leaseSeconds,
    pollSeconds: 0.2,
    ...(options.connections === undefined ? {} : { connections: options.connections }),
    async trace(step, deliveryId) {
      if (!stopAt.includes(step)) return;
      await new Promise<void>((resolve) => {
        held.set(deliveryId, resolve);
        process.send!({ step, deliveryId } satisfies Stopped);
      });
    },
  });
  worker.start();
  process.send!('ready');
  process.on('SIGTERM', async () => {
    await worker[Symbol.asyncDispose]();
    await sql.end({ timeout: 5 });
    process.exit();
  });
}

if (import.meta.main) await main();
