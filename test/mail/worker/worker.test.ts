import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import type { WorkerStep } from '../../../src/mail/worker/steps.ts';
import { createLog } from '../../../src/platform/log.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type SmtpSink, startSmtpSink } from '../../support/servers/smtp-sink.ts';
import { sampled, soaking } from '../../support/soak.ts';
import {
  expireLeases,
  fillDesk,
  inState,
  memoryBlobs,
  onlooker,
  queueMail,
  startWorker,
  until,
  untilLookedAgain,
  viewDelivery,
} from '../world/desk.ts';
import { startWorkerProcess } from '../world/worker-process.ts';

test('a queued mail is sent once: blind copies in the envelope only, each step written down', async () => {
  await using world = await createTestDatabase();
  await using sink = await startSmtpSink();
  const sql = world.database.raw;
  await fillDesk(sql);
  const blobs = memoryBlobs();
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 251));
  const id = await queueMail(sql, blobs, {
    cc: ['second@domain.com'],
    bcc: ['hidden@domain.com'],
    files: [{ fileName: 'a.bin', contentType: 'application/x-a', bytes }],
  });
  await using _worker = startWorker({ sql, blobs, smtpUrl: sink.url });
  const view = await until(sql, id, inState('SENT'));
  expect(sink.mails).toHaveLength(1);
  expect(sink.mails[0]!.to).toEqual(['jane.doe@domain.com', 'second@domain.com', 'hidden@domain.com']);
  expect(sink.mails[0]!.source.toString('latin1')).not.toMatch(/hidden|^bcc:/im);
  expect(view.recipients.map(({ state }) => state)).toEqual(['SENT', 'SENT', 'SENT']);
  expect(view.log).toMatchObject([{ number: 1, phase: 'SETTLED', outcome: 'SENT' }]);
  expect(view.events).toEqual(['DELIVERY_SENT']);
});

test('several workers share a queue: each mail once, each ticket in its order', async () => {
  await using world = await createTestDatabase();
  await using sink = await startSmtpSink();
  const sql = world.database.raw;
  const tickets = soaking ? 10 : 5;
  const count = (soaking ? 6 : 4) * tickets;
  await fillDesk(sql, { tickets });
  const blobs = memoryBlobs();
  const ids: number[] = [];
  for (let n = 0; n < count; n += 1)
    ids.push(await queueMail(sql, blobs, { ticketId: 1 + (n % tickets), body: `mail ${n}` }));
  await using workers = new AsyncDisposableStack();
  for (let n = 0; n < 4; n += 1)
    workers.use(startWorker({ sql, blobs, smtpUrl: sink.url, leaseSeconds: 30 }));
  for (const id of ids) await until(sql, id, inState('SENT'));
  await untilLookedAgain(sql);
  const mails = sink.mails.filter(({ to }) => to[0] !== onlooker);
  expect(mails).toHaveLength(count);
  const order = mails.map(({ source }) => Number(/\r\nmail (\d+)/.exec(source.toString())![1]));
  for (let ticket = 0; ticket < tickets; ticket += 1) {
    const numbers = order.filter((n) => n % tickets === ticket);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  }
  const [gaps] =
    await sql`select count(*)::int as n from tickets t where last_event_number <> (select count(*)
      from events e where e.ticket_id = t.id)`;
  expect(gaps!.n).toBe(0);
});

/** A worker that has come to a step, and sleeps there until its lease has expired and it is woken. */
interface Sleeper extends AsyncDisposable {
  wake(): void;
  end(): PromiseLike<void>;
}

/**
 * It has one connection, so that it claims nothing meanwhile: a statement that it sent right before it was
 * suspended would claim the mail once more.
 */
const startSleeper = async (world: TestDatabase, { url }: SmtpSink, step: WorkerStep): Promise<Sleeper> => {
  const sleeper = await (soaking ? suspendedProcess : waitingWorker)(world, url, step);
  await expireLeases(world.database.raw);
  return sleeper;
};

/** All of its process sleeps. */
async function suspendedProcess({ connection }: TestDatabase, smtpUrl: string, step: WorkerStep) {
  const options = { connection, smtpUrl, leaseSeconds: 60, stopAt: [step], connections: 1 };
  const worker = await startWorkerProcess(options);
  await worker.stopped();
  worker.child.kill('SIGSTOP');
  return {
    wake() {
      worker.go();
      worker.child.kill('SIGCONT');
    },
    end: () => worker.end(),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}

/** The mail alone sleeps: a process of its own costs half a second. */
async function waitingWorker({ database }: TestDatabase, smtpUrl: string, step: WorkerStep) {
  const reached = Promise.withResolvers<void>();
  const woken = Promise.withResolvers<void>();
  const worker = startWorker({
    ...{ sql: database.raw, blobs: memoryBlobs(), smtpUrl },
    ...{ leaseSeconds: 60, pollSeconds: 3600, connections: 1 },
    async trace(at) {
      if (at !== step) return;
      reached.resolve();
      await woken.promise;
    },
  });
  await reached.promise;
  return {
    wake: () => woken.resolve(),
    end: () => worker[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      woken.resolve();
      await worker[Symbol.asyncDispose]();
    },
  };
}

test.each(sampled<WorkerStep>(['accepted-354', 'claimed'], 2))(
  'a worker that sleeps past its lease at %s sends nothing when it wakes: another has sent the mail',
  async (step) => {
    await using world = await createTestDatabase();
    await using sink = await startSmtpSink();
    const sql = world.database.raw;
    await fillDesk(sql);
    const id = await queueMail(sql, undefined);
    await using sleeper = await startSleeper(world, sink, step);
    await using _heir = startWorker({ sql, blobs: memoryBlobs(), smtpUrl: sink.url });
    await until(sql, id, inState('SENT'));
    sleeper.wake();
    // It has reached the fence, and is done with the mail.
    await sleeper.end();
    expect(sink.mails).toHaveLength(1);
    expect(await until(sql, id, inState('SENT'))).toMatchObject({ attempts: 2, events: ['DELIVERY_SENT'] });
  },
);

test('a worker that sleeps past its lease at BODY counts as dead, and reports when it wakes', async () => {
  await using world = await createTestDatabase();
  await using sink = await startSmtpSink();
  const sql = world.database.raw;
  await fillDesk(sql);
  const id = await queueMail(sql, undefined);
  await using sleeper = await startSleeper(world, sink, 'body-open');
  await using _heir = startWorker({ sql, blobs: memoryBlobs(), smtpUrl: sink.url });
  await until(sql, id, inState('OUTCOME_UNKNOWN'));
  sleeper.wake();
  const view = await until(sql, id, inState('SENT'));
  expect(view).toMatchObject({ attempts: 1, events: ['DELIVERY_OUTCOME_UNKNOWN', 'DELIVERY_SENT'] });
  expect(sink.mails).toHaveLength(1);
});

test('a worker that ends finishes what it began and gives back what it did not', async () => {
  await using world = await createTestDatabase();
  await using sink = await startSmtpSink({ faults: [{ at: 'DOT', delayMs: 300 }] });
  const sql = world.database.raw;
  await fillDesk(sql, { tickets: 14 });
  for (let n = 1; n <= 14; n += 1) await queueMail(sql, undefined, { ticketId: n });
  const worker = startWorker({
    sql,
    blobs: memoryBlobs(),
    smtpUrl: sink.url,
    leaseSeconds: 30,
    connections: 2,
  });
  await sink.received(1);
  await worker[Symbol.asyncDispose]();
  const taken = sink.mails.length;
  expect(taken).toBeLessThan(10);
  const rows = await sql`select state, count(*)::int as n from deliveries group by state order by state`;
  expect([...rows]).toEqual([
    { state: 'QUEUED', n: 14 - taken },
    { state: 'SENT', n: taken },
  ]);
  await using _next = startWorker({ sql, blobs: memoryBlobs(), smtpUrl: sink.url, connections: 10 });
  await sink.received(14);
  await untilLookedAgain(sql);
  expect(sink.mails.filter(({ to }) => to[0] !== onlooker)).toHaveLength(14);
});

test('a reply that arrives while the database is away is stored when it is back', async () => {
  await using world = await createTestDatabase();
  await using sink = await startSmtpSink({ faults: [{ at: 'DOT', delayMs: 300 }] });
  const sql = world.database.raw;
  await fillDesk(sql);
  const id = await queueMail(sql, undefined);
  const logged: string[] = [];
  const log = createLog('error', { write: (line: string) => logged.push(line) > 0 } as never);
  const ports = { sql, blobs: memoryBlobs(), smtpUrl: sink.url, leaseSeconds: 30, log };
  await using _worker = startWorker(ports);
  await until(sql, id, ({ phase }) => phase === 'BODY');
  const { database: name, ...server } = world.ownerConnection as { database: string };
  const owner = postgres({ ...server, database: 'postgres', max: 1, onnotice: () => {} } as object);
  await owner`alter database ${owner(name)} with allow_connections false`;
  await owner`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
  await eventually(() => logged.some((line) => line.includes('settlement failed, retrying')));
  await owner`alter database ${owner(name)} with allow_connections true`;
  await owner.end();
  // The test's own connections were ended as well.
  const view = await eventually(async () => {
    const now = await viewDelivery(sql, id).catch(() => undefined);
    return now?.state === 'SENT' && now;
  });
  expect(view).toMatchObject({ attempts: 1, events: ['DELIVERY_SENT'] });
  expect(sink.mails).toHaveLength(1);
});

test('an address that needs SMTPUTF8 fails for good on a server without it, with the reason', async () => {
  await using world = await createTestDatabase();
  const sql = world.database.raw;
  await fillDesk(sql);
  const seen: string[] = [];
  const server = createServer((socket) => {
    socket.write('220 old.test\r\n');
    socket.on('data', (data) => {
      seen.push(data.toString());
      socket.write(data.toString().startsWith('EHLO') ? '250-old.test\r\n250 8BITMIME\r\n' : '221 bye\r\n');
    });
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const id = await queueMail(sql, undefined, { to: 'žofie@domain.cz' });
  await using _worker = startWorker({ sql, blobs: memoryBlobs(), smtpUrl: `smtp://127.0.0.1:${port}` });
  const view = await until(sql, id, inState('FAILED', 'SENT'));
  expect(view).toMatchObject({ state: 'FAILED', recipients: [{ state: 'FAILED', code: '5.6.7' }] });
  expect(seen.join('')).not.toContain('MAIL');
  server.close();
});
