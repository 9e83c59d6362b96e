import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type postgres from 'postgres';
import { migrate, openDatabase } from '../../../src/db/database.ts';
import { startEmbedded } from '../../../src/dev/embedded-postgres/start-postgres.ts';
import type { WorkerStep } from '../../../src/mail/worker/steps.ts';
import { fillDesk, queueMail } from '../../mail/world/desk.ts';
import { startWorkerProcess, type WorkerProcess } from '../../mail/world/worker-process.ts';
import { type SinkProcess, startSinkProcess } from '../../support/servers/smtp-sink-process.ts';

/** Seconds without a sign of life after which a worker counts as dead here. */
export const leaseSeconds = 1;
const tickets = 200;

/** A small, fast, seeded generator (mulberry32): the same seed makes the same schedule. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface CrashWorld extends AsyncDisposable {
  readonly sql: postgres.Sql;
  readonly journal: string;
  readonly random: () => number;
  sink(): SinkProcess;
  /** Kills -9 the server and starts it again on its port, with its journal. */
  killSink(): Promise<void>;
  worker(stopAt: readonly WorkerStep[], connections?: number): Promise<WorkerProcess>;
  /** Commits mails, each on another ticket. */
  queue(count: number): Promise<number[]>;
}

/** A real PostgreSQL that syncs its commits, a desk, and a server that keeps a synced journal. */
export async function createCrashWorld(seed: number): Promise<CrashWorld> {
  const stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'crash-mail-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const server = stack.use(await startEmbedded(join(directory, 'pg')));
  await migrate(server.connection);
  const database = stack.use(openDatabase(server.connection, { applicationName: 'crash' }));
  const sql = database.raw;
  await fillDesk(sql, { tickets });
  const journal = join(directory, 'journal');
  let sink = await startSinkProcess(journal);
  stack.defer(() => sink[Symbol.asyncDispose]());
  let queued = 0;
  const random = seeded(seed);
  return {
    sql,
    journal,
    random,
    sink: () => sink,
    async killSink() {
      const { port } = sink;
      await sink[Symbol.asyncDispose]();
      sink = await startSinkProcess(journal, { port });
    },
    worker: (stopAt, connections = 1) =>
      startWorkerProcess({
        connection: server.connection,
        smtpUrl: sink.url,
        leaseSeconds,
        stopAt,
        connections,
      }),
    async queue(count) {
      const ids: number[] = [];
      for (let n = 0; n < count; n += 1) {
        queued += 1;
        ids.push(
          await queueMail(sql, undefined, {
            ticketId: 1 + (queued % tickets),
            body: 'x'.repeat(Math.floor(random() * 3000)),
          }),
        );
      }
      return ids;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
