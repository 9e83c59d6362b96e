import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Door, type Message, say } from './crash/support/calls.ts';
import { type GatewayProcess, startGatewayProcess } from './crash/support/gateway-process.ts';
import { between, seeded } from './crash/support/random.ts';
import { openTcpDoor } from './crash/support/tcp-door.ts';
import { countWaiting, createTestDatabase } from './support/database.ts';
import { asOperator } from './support/gateway.ts';
import { type SmtpSink, startSmtpSink } from './support/servers/smtp-sink.ts';

/**
 * Two gateways as production runs them, on one database and one folder of blobs, and a mail server behind
 * them.
 */
describe('two processes', () => {
  const parts = new AsyncDisposableStack();
  let env: Record<string, string>;
  let sql: postgres.Sql;
  let sink: SmtpSink;
  let one: GatewayProcess;
  let other: GatewayProcess;
  const start = async (roles = 'web,worker') =>
    parts.use(await startGatewayProcess({ ...env, ROLES: roles }));

  beforeAll(async () => {
    const database = parts.use(await createTestDatabase('demo'));
    const door = parts.use(await openTcpDoor(database.connection));
    sink = parts.use(await startSmtpSink());
    const directory = await mkdtemp(join(tmpdir(), 'ticketwire-test-'));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    sql = database.asOwner(4);
    parts.defer(() => sql.end({ timeout: 5 }));
    env = {
      DATABASE_URL: door.urlOf(database.connection),
      DATABASE_OWNER_URL: door.urlOf(database.ownerConnection),
      SMTP_URL: sink.url,
      BLOBS_URL: pathToFileURL(join(directory, 'blobs')).href,
      DATA_DIR: directory,
    };
    [one, other] = await Promise.all([start(), start()]);
  });
  afterAll(() => parts.disposeAsync());

  /**
   * Fifty calls of one meaning under one key, by the seed at one process or the other and at one door or the
   * other.
   */
  function sayAtBoth(message: Message, key: string, random: () => number): Promise<Answer>[] {
    return Array.from({ length: 50 }, () => {
      const door: Door = random() < 0.5 ? 'graphql' : 'legacy';
      const { url } = random() < 0.5 ? one : other;
      return say(url, door, message, { authorization: asOperator, key, keyAsField: random() < 0.5 });
    });
  }

  /** Calls are all under way once the ticket that they want is locked; then it is let go. */
  async function whileLocked(ticketId: number, begin: () => void): Promise<void> {
    await sql.begin(async (tx) => {
      await tx`select from tickets where id = ${ticketId} for update`;
      begin();
      // One call of each process waits in the database, the others in their processes.
      await expect.poll(() => countWaiting(sql)).toBe(2);
      for (const { url } of [one, other]) await fetch(`${url}/health/live`);
    });
  }

  async function answered(calls: readonly Promise<Answer>[], count: number): Promise<void> {
    let seen = 0;
    for (const call of calls) void call.then(() => (seen += 1));
    await expect.poll(() => seen, { interval: 1 }).toBeGreaterThanOrEqual(count);
  }

  async function expectOnce(body: string, answers: readonly Answer[]): Promise<void> {
    const added = answers.filter((answer) => answer.kind === 'added');
    const rows = await sql<{ id: number; attachments: number; events: number; keys: number }[]>`
      select m.id, (select count(*)::int from attachments a where a.message_id = m.id) as attachments,
        (select count(*)::int from events e where e.message_id = m.id and e.type = 'MESSAGE_ADDED') as events,
        (select count(*)::int from idempotency_keys k where k.message_id = m.id) as keys
      from messages m where m.body = ${body}`;
    expect(rows).toEqual([{ id: expect.any(Number), attachments: 1, events: 1, keys: 1 }]);
    expect([...new Set(added.map(({ messageId }) => messageId))]).toEqual([rows[0]!.id]);
  }

  const file = { name: 'a.bin', type: 'application/octet-stream', bytes: Buffer.alloc(3000, 7) };
  const mailsOf = (body: string) => sink.mails.filter(({ source }) => source.includes(body));
  const deliveryOf = async (body: string) => {
    const [row] = await sql<{ state: string; id: number }[]>`
      select d.state, d.id from deliveries d join messages m on m.id = d.message_id where m.body = ${body}`;
    return row!;
  };

  test.each([1, 2, 3])('do what fifty calls of one key mean once, by seed %i', async (seed) => {
    const body = `Fifty-${seed}.`;
    const message = { ticket: 'INC-000047', body, email: {}, files: [file] };
    let calls: Promise<Answer>[] = [];
    await whileLocked(47, () => (calls = sayAtBoth(message, `fifty-${seed}`, seeded(seed))));
    const answers = await Promise.all(calls);
    expect(answers.filter(({ kind }) => kind !== 'added')).toEqual([]);
    expect(answers.filter((answer) => answer.kind === 'added' && !answer.replayed)).toHaveLength(1);
    await expectOnce(body, answers);
    await expect.poll(async () => (await deliveryOf(body)).state).toBe('SENT');
    expect(mailsOf(body)).toHaveLength(1);
  });

  test.each([4, 5, 6])('do it once even when one is killed midway, by seed %i', async (seed) => {
    const random = seeded(seed);
    const body = `Killed-${seed}.`;
    const key = `killed-${seed}`;
    const message = { ticket: 'INC-000047', body, email: {}, files: [file] };
    let calls: Promise<Answer>[] = [];
    await whileLocked(47, () => (calls = sayAtBoth(message, key, random)));
    await answered(calls, between(random, 0, 12));
    await one.kill();
    const answers = await Promise.all(calls);
    expect(answers.some(({ kind }) => kind === 'lost')).toBe(true);
    // Calls without an answer are repeated at the remaining process, as a client would.
    const lost = answers.filter(({ kind }) => kind !== 'added');
    const again = await Promise.all(
      lost.map(() => say(other.url, 'legacy', message, { authorization: asOperator, key })),
    );
    const all = [...answers, ...again];
    expect(again.filter(({ kind }) => kind !== 'added')).toEqual([]);
    expect(all.filter((answer) => answer.kind === 'added' && !answer.replayed).length).toBeLessThan(2);
    await expectOnce(body, all);
    await expectMailedOnce(body);
    // From now on it leaves the mails to the other one, so that each comes for certain.
    one = await start('web');
  });

  /**
   * A mail that the killed process had begun waits for its lease, a minute, which is not waited for here. A
   * mail whose bytes were being sent has an unknown outcome: at most one copy arrived.
   */
  async function expectMailedOnce(body: string): Promise<void> {
    const { id } = await deliveryOf(body);
    let state = '';
    await expect
      .poll(
        async () => {
          await sql`update deliveries set lease_until = now() where id = ${id} and state = 'TRANSMITTING'`;
          ({ state } = await deliveryOf(body));
          return state;
        },
        { interval: 250 },
      )
      .toMatch(/^(SENT|OUTCOME_UNKNOWN)$/);
    const mails = mailsOf(body).length;
    if (state === 'SENT') expect(mails).toBe(1);
    else expect(mails).toBeLessThan(2);
  }
});
