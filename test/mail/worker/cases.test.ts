import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { WorkerStep } from '../../../src/mail/worker/steps.ts';
import { createTestDatabase, shareDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type Fault, type Step, startSmtpSink } from '../../support/servers/smtp-sink.ts';
import { readJournal, startSinkProcess } from '../../support/servers/smtp-sink-process.ts';
import { sampled, soaking } from '../../support/soak.ts';
import {
  expireLeases,
  fillDesk,
  inState,
  memoryBlobs,
  queueMail,
  startWorker,
  until,
  untilLookedAgain,
  viewDelivery,
} from '../world/desk.ts';
import { startWorkerProcess } from '../world/worker-process.ts';

async function createWorld({ tickets = 5 } = {}) {
  const world = await createTestDatabase();
  const sql = world.database.raw;
  await fillDesk(sql, { tickets });
  return { ...world, sql, blobs: memoryBlobs(), [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

const shared = shareDatabase();

/** A desk for workers in this process, whose tests run one after the other. */
async function fillShared() {
  const sql = shared().database.raw;
  await fillDesk(sql);
  return { sql, blobs: memoryBlobs() };
}

/** Commits a mail, kills -9 the worker that reached a step with it, and lets another worker carry on. */
async function killAt(step: WorkerStep) {
  await using world = await createWorld();
  const directory = await mkdtemp(join(tmpdir(), 'mail-'));
  try {
    const journal = join(directory, 'journal');
    await using sink = await startSinkProcess(journal);
    const id = await queueMail(world.sql, undefined);
    const { connection } = world;
    await using doomed = await startWorkerProcess({
      connection,
      smtpUrl: sink.url,
      leaseSeconds: 60,
      stopAt: [step],
      // With more it goes on claiming, and its last claim may be executed after the other worker's.
      connections: 1,
    });
    expect(await doomed.stopped()).toEqual({ step, deliveryId: id });
    // What nodemailer was given leaves the process before it is killed, as far as it will.
    await doomed.turns();
    await doomed.kill();
    await expireLeases(world.sql);
    await using _heir = startWorker({
      sql: world.sql,
      blobs: world.blobs,
      smtpUrl: sink.url,
    });
    const view = await until(world.sql, id, inState('SENT', 'OUTCOME_UNKNOWN'));
    await untilLookedAgain(world.sql);
    expect((await viewDelivery(world.sql, id)).state).toBe(view.state);
    const copies = readJournal(journal).filter(({ messageId }) => messageId === view.messageId).length;
    return { view, copies };
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe.concurrent('case 4: kill -9 of the worker before DATA', () => {
  test.runIf(soaking).each<WorkerStep>(['accepted-354', 'claimed', 'prepared', 'connecting'])(
    'at %s: sent exactly once',
    async (step) => {
      const { view, copies } = await killAt(step);
      expect(view).toMatchObject({ state: 'SENT', attempts: 2, events: ['DELIVERY_SENT'] });
      expect(copies).toBe(1);
    },
  );
});

describe.concurrent('case 5 and 6: kill -9 of the worker between the first byte and the end', () => {
  test.each(sampled<WorkerStep>(['body-written', 'body-open', 'answered'], 3))(
    'at %s: unknown, and no machine sends it again',
    async (step) => {
      const { view, copies } = await killAt(step);
      expect(view).toMatchObject({
        state: 'OUTCOME_UNKNOWN',
        attempts: 1,
        events: ['DELIVERY_OUTCOME_UNKNOWN'],
      });
      expect(view.recipients).toMatchObject([{ state: 'OUTCOME_UNKNOWN' }]);
      expect(copies).toBe(step === 'answered' ? 1 : 0);
    },
  );
});

/** Sends one mail to a server with faults until its first attempt is over. */
async function attempt(faults: readonly Fault[], mail = {}, ports = {}) {
  const { sql, blobs } = await fillShared();
  await using sink = await startSmtpSink({ faults });
  const id = await queueMail(sql, blobs, mail);
  await using _worker = startWorker({ sql, blobs, smtpUrl: sink.url, ...ports });
  const view = await until(sql, id, ({ log }) => log.some(({ outcome }) => outcome !== null));
  return { view, mails: [...sink.mails] };
}

const steps: Step[] = ['CONNECT', 'MAIL', 'RCPT', 'DATA', 'DOT'];
describe('case 7: a temporary refusal defers, at each step', () => {
  const replies = ['421 4.3.2 closing', '450 4.2.1 busy', '451 4.3.0 later', '452 4.3.1 full'];
  const cases = steps.flatMap((at) => replies.map((reply) => [at, reply] as const));
  test.each(sampled(cases, 6))('%s: %s', async (at, reply) => {
    const now = new Date();
    const { view, mails } = await attempt([{ at, reply }], {}, { now: () => now });
    expect(mails).toHaveLength(0);
    expect(view).toMatchObject({ state: 'DEFERRED', attempts: 1, events: ['DELIVERY_DEFERRED'] });
    expect(view.recipients).toMatchObject([{ state: 'DEFERRED', code: reply.slice(4, 9) }]);
    expect(view.recipients[0]!.reply).toContain(reply);
    // The first back-off is up to a minute, and chance is 0.5 here.
    expect(view.dueAt.getTime() - now.getTime()).toBeGreaterThan(29_000);
    expect(view.dueAt.getTime() - now.getTime()).toBeLessThan(31_000);
  });

  test('a temporary refusal of both EHLO and HELO defers', async () => {
    const { view } = await attempt([{ at: 'EHLO', reply: '421 4.3.2 closing' }]);
    expect(view.state).toBe('DEFERRED');
  });

  test('it is retried for 5 days, then fails with a reason that says so', async () => {
    const old = new Date(Date.now() - 1000);
    const { view } = await attempt([{ at: 'MAIL', reply: '451 4.3.0 later' }], { giveUpAt: old });
    expect(view).toMatchObject({ state: 'FAILED', events: ['DELIVERY_FAILED'] });
    expect(view.failure).toMatch(/451 4\.3\.0 later \(given up after 5 days\)/);
  });
});

describe('case 8: a refusal is final, at each step', () => {
  const replies = ['550 5.1.1 no such user', '552 5.2.2 full', '554 5.7.1 never'];
  const cases = steps.flatMap((at) => replies.map((reply) => [at, reply] as const));
  test.each(sampled(cases, 7))('%s: %s', async (at, reply) => {
    const { view, mails } = await attempt([{ at, reply }]);
    expect(mails).toHaveLength(0);
    expect(view).toMatchObject({ state: 'FAILED', attempts: 1, events: ['DELIVERY_FAILED'] });
    expect(view.recipients[0]).toMatchObject({ state: 'FAILED', code: reply.slice(4, 9) });
    expect(view.recipients[0]!.reply).toContain(reply);
    expect(view.failure).toContain(reply);
  });
});

describe('case 9: one recipient of three is refused', () => {
  const mail = { cc: ['gone@domain.com'], bcc: ['third@domain.com'] };
  test('for good: the other two have one copy each', async () => {
    const { view, mails } = await attempt(
      [{ at: 'RCPT', address: 'gone@domain.com', reply: '550 5.1.1 gone' }],
      mail,
    );
    expect(mails.map(({ to }) => to)).toEqual([['jane.doe@domain.com', 'third@domain.com']]);
    expect(view).toMatchObject({ state: 'PARTIALLY_FAILED', events: ['DELIVERY_PARTIALLY_FAILED'] });
    expect(view.recipients).toMatchObject([
      { state: 'SENT' },
      { state: 'FAILED', code: '5.1.1' },
      { state: 'SENT' },
    ]);
  });

  test('for now: only the rest is tried again, with the same Message-ID and bytes', async () => {
    const { sql, blobs } = await fillShared();
    await using sink = await startSmtpSink({
      faults: [{ at: 'RCPT', address: 'gone@domain.com', reply: '450 4.2.1 busy', times: 1 }],
    });
    const id = await queueMail(sql, blobs, mail);
    let now = Date.now();
    await using worker = startWorker({
      sql,
      blobs,
      smtpUrl: sink.url,
      now: () => new Date(now),
    });
    const deferred = await until(sql, id, inState('DEFERRED'));
    expect(deferred.recipients.map(({ state }) => state)).toEqual(['SENT', 'DEFERRED', 'SENT']);
    now += 60_000;
    worker.wake();
    const sent = await until(sql, id, inState('SENT'));
    expect(sink.mails.map(({ to }) => to)).toEqual([
      ['jane.doe@domain.com', 'third@domain.com'],
      ['gone@domain.com'],
    ]);
    expect(sink.mails[1]!.source).toEqual(sink.mails[0]!.source);
    expect(sent.events).toEqual(['DELIVERY_DEFERRED', 'DELIVERY_SENT']);
  });
});

describe('case 10: the connection is cut', () => {
  test.each<[Step, string]>([
    ['DATA', 'ENVELOPE'],
    ['MAIL', 'ENVELOPE'],
    ['CONNECT', 'CONNECT'],
  ])('at %s: nothing went out, it is tried again', async (at, phase) => {
    const { view } = await attempt([{ at, answer: 'drop' }]);
    expect(view).toMatchObject({ state: 'DEFERRED', log: [{ phase, outcome: 'DEFERRED' }] });
  });

  test('in mid body: it is tried again, and arrives once', async () => {
    const { sql, blobs } = await fillShared();
    await using sink = await startSmtpSink({
      faults: [{ at: 'BODY', afterBytes: 5000, answer: 'drop', times: 1 }],
    });
    // More than the buffers of a connection take that nobody reads.
    const bytes = Buffer.alloc(6_000_000, 'x');
    const id = await queueMail(sql, blobs, {
      files: [{ fileName: 'x', contentType: 'text/plain', bytes }],
    });
    let now = Date.now();
    await using worker = startWorker({
      sql,
      blobs,
      smtpUrl: sink.url,
      now: () => new Date(now),
    });
    expect((await until(sql, id, inState('DEFERRED'))).log).toMatchObject([
      { phase: 'BODY', outcome: 'DEFERRED' },
    ]);
    now += 60_000;
    worker.wake();
    await until(sql, id, inState('SENT'));
    expect(sink.mails).toHaveLength(1);
  });

  test.each<Step>(['DOT', 'REPLY'])(
    'after the final dot (%s): unknown, and no machine sends it again',
    async (at) => {
      const { view } = await attempt([{ at, answer: 'drop' }]);
      expect(view).toMatchObject({
        state: 'OUTCOME_UNKNOWN',
        log: [{ phase: 'BODY', outcome: 'OUTCOME_UNKNOWN' }],
      });
    },
  );
});

describe('case 11: a server that does not answer, or too slowly', () => {
  const patient = { connect: 60_000, envelope: 60_000, bodyStall: 60_000, final: 60_000 };
  /**
   * A short timeout in one phase only, so that a busy machine does not look like a silent server in the
   * others.
   */
  const impatient = (phase: keyof typeof patient) => ({ timeouts: { ...patient, [phase]: 300 } });
  test.each(sampled<Step>(['EHLO', 'CONNECT', 'MAIL', 'RCPT', 'DATA'], 2))(
    'at %s: deferred within the limit of the phase',
    async (at) => {
      const { view } = await attempt(
        [{ at, answer: 'hang' }],
        {},
        impatient(at === 'CONNECT' || at === 'EHLO' ? 'connect' : 'envelope'),
      );
      expect(view.state).toBe('DEFERRED');
    },
  );
  test('after the final dot: unknown', async () => {
    const { view } = await attempt([{ at: 'DOT', answer: 'hang' }], {}, impatient('final'));
    expect(view.state).toBe('OUTCOME_UNKNOWN');
  });
  test.runIf(soaking)(
    'a body that the server does not read: deferred, as the final dot was not written',
    async () => {
      const bytes = Buffer.alloc(16_000_000);
      const mail = { files: [{ fileName: 'x', contentType: 'text/plain', bytes }] };
      const { view } = await attempt([{ at: 'BODY', answer: 'hang' }], mail, impatient('bodyStall'));
      expect(view).toMatchObject({ state: 'DEFERRED', log: [{ phase: 'BODY' }] });
    },
  );

  test('another mailbox is not held up', async () => {
    const hung = soaking ? 50 : 12;
    await using world = await createWorld({ tickets: 60 });
    await using hole = await startSmtpSink({ faults: [{ at: 'MAIL', answer: 'hang' }] });
    await using sink = await startSmtpSink();
    await world.sql`insert into mailboxes (id, address, display_name, smtp_url)
      values (2, 'slow@domain.com', 'Slow', ${hole.url})`;
    for (let n = 1; n <= hung; n += 1) await queueMail(world.sql, world.blobs, { ticketId: n, mailboxId: 2 });
    await using _worker = startWorker({
      sql: world.sql,
      blobs: world.blobs,
      smtpUrl: sink.url,
      timeouts: { envelope: 600_000 },
    });
    // All of its connections hang.
    await eventually(() => hole.steps.filter(({ step }) => step === 'MAIL').length === 5);
    const id = await queueMail(world.sql, world.blobs, { ticketId: 60 });
    await until(world.sql, id, inState('SENT'));
    const [others] = await world.sql`
      select count(*)::int as waiting from deliveries where mailbox_id = 2
      and state in ('QUEUED', 'TRANSMITTING')`;
    expect(others).toEqual({ waiting: hung });
    hole.setFaults([]);
    hole.cut();
  });
});

test('case 12: a server comes back to a long queue: nothing is lost, tickets keep their order', async () => {
  const tickets = soaking ? 40 : 10;
  // Several of each ticket, and more together than may be tried.
  const mails = (soaking ? 5 : 3) * tickets;
  await using world = await createWorld({ tickets: tickets + 1 });
  const { sql, blobs } = world;
  const ids: number[] = [];
  for (let n = 0; n < mails; n += 1)
    ids.push(await queueMail(sql, blobs, { ticketId: 1 + (n % tickets), body: `mail ${n}` }));
  let now = Date.now();
  const closed = await startSmtpSink();
  const { port } = closed;
  await closed[Symbol.asyncDispose]();
  await using worker = startWorker({
    sql,
    blobs,
    smtpUrl: `smtp://127.0.0.1:${port}`,
    now: () => new Date(now),
  });
  // The worker looks again and again, as another mailbox's mails show.
  await using well = await startSmtpSink();
  await sql`insert into mailboxes (id, address, display_name, smtp_url)
    values (2, 'well@domain.com', 'Well', ${well.url})`;
  await eventually(async () => (await sql`select from deliveries where state = 'DEFERRED'`).length > 0);
  for (let n = 0; n < 5; n += 1)
    await until(sql, await queueMail(sql, blobs, { ticketId: tickets + 1, mailboxId: 2 }), inState('SENT'));
  const [{ tried } = { tried: 0 }] = await sql<
    { tried: number }[]
  >`select count(*)::int as tried from delivery_attempts a join deliveries d on d.id = a.delivery_id
    where d.mailbox_id = 1 and a.outcome <> 'QUEUED'`;
  // A server that is down is not asked once for each mail.
  expect(tried).toBeLessThanOrEqual(25);
  await using back = new AsyncDisposableStack();
  const sink = await sql.begin(async (tx) => {
    // No mail is tried while its row is locked. One that was refused by the old clock and settled by the new
    // one would wait for an hour, and later mails of its ticket would overtake it.
    const locked = () =>
      tx`select from deliveries where mailbox_id = 1 and state <> 'TRANSMITTING' for update`;
    await eventually(async () => (await locked()).length === mails);
    now += 3_600_000;
    return back.use(await startSmtpSink({ port }));
  });
  worker.wake();
  for (const id of ids) await until(sql, id, inState('SENT'));
  await sink.received(mails);
  const rows = await sql<
    { state: string; n: number }[]
  >`select state, count(*)::int as n from deliveries where mailbox_id = 1 group by state`;
  expect([...rows]).toEqual([{ state: 'SENT', n: mails }]);
  const order = new Map<string, number[]>();
  for (const { source } of sink.mails) {
    const text = source.toString();
    const ticket = /Subject: (.*)\r\n/.exec(text)![1]!;
    order.set(ticket, [...(order.get(ticket) ?? []), Number(/\r\nmail (\d+)/.exec(text)![1])]);
  }
  expect(order.size).toBe(tickets);
  for (const numbers of order.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
});
