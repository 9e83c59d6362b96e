import type postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countWaiting } from '../../support/database.ts';
import { asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { soaking } from '../../support/soak.ts';
import { type Added, add } from '../calls.ts';

let one: Gateway;
let other: Gateway;
/** Its callers give up. */
let impatient: Gateway;
/** Sessions of an unrelated program. */
let outside: postgres.Sql;
beforeAll(async () => {
  // Nobody gives up, however slow the machine is.
  const options = { env: { ROLES: 'web' }, overrides: { writer: { lockPatience: 600_000 } } };
  one = await startGateway(options);
  other = await startGateway({ ...options, database: one.database });
  impatient = await startGateway({
    env: { ROLES: 'web' },
    database: one.database,
    overrides: { writer: { lockPatience: 600 } },
  });
  outside = one.database.asOwner(4);
  // Signing in takes a while, and is not what is looked at.
  await Promise.all([one, other, impatient].map((gateway) => addTo(gateway, 1)));
});
afterAll(async () => {
  await outside.end({ timeout: 5 });
  await impatient[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
});

const addTo = (gateway: Gateway, ticketId: number, more: object = {}): Promise<Added> =>
  add(gateway, { ticket: { ticketId }, body: `to ${ticketId}`, ...more });
const succeeded = (answers: readonly Added[]) =>
  answers.map(({ __typename }) => __typename).filter((name) => name !== 'AddTicketMessagePayload');
const countOf = async (body: string) => (await one.sql`select from messages where body = ${body}`).length;
const mutation =
  'mutation($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { ' + '__typename } }';

/**
 * Runs while somebody holds what the statement locks; resolves what `during` returned once it is free again.
 */
async function whileHeld<T>(
  lock: (tx: postgres.TransactionSql) => PromiseLike<unknown>,
  during: () => Promise<T>,
): Promise<T> {
  return outside
    .begin(async (tx) => {
      await lock(tx);
      return [await during()];
    })
    .then(([result]) => result as T);
}

const rounds = soaking ? 5 : 2;
test('a locked ticket with many callers delays nobody else, in its group or other processes', async () => {
  const waiting: Promise<Added>[] = [];
  await whileHeld(
    (tx) => tx`select from tickets where id = 50 for update`,
    async () => {
      for (let round = 0; round < rounds; round += 1) {
        // They arrive together, and so share a group.
        const others = [one, other].flatMap((gateway) => {
          waiting.push(addTo(gateway, 50, { body: 'to the locked one' }));
          return Array.from({ length: 15 }, (_, n) => addTo(gateway, 2 + n));
        });
        expect(succeeded(await Promise.all(others))).toEqual([]);
      }
      expect(await countOf('to the locked one')).toBe(0);
    },
  );
  expect(succeeded(await Promise.all(waiting))).toEqual([]);
  expect(await countOf('to the locked one')).toBe(2 * rounds);
});

test('a caller that times out is told that nothing was written, and succeeds after the lock', async () => {
  const input = { ticket: { reference: 'inc-000049' }, body: 'in vain', idempotencyKey: 'in vain' };
  const answer = await whileHeld(
    (tx) => tx`select from tickets where id = 49 for no key update`,
    () => impatient.graphql(mutation, { input }),
  );
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('2');
  expect(answer.errors![0]!.extensions).toMatchObject({
    code: 'UNAVAILABLE',
    retryable: true,
    nothingWritten: true,
  });
  expect(await countOf('in vain')).toBe(0);
  expect((await add(impatient, input)).__typename).toBe('AddTicketMessagePayload');
  expect(await countOf('in vain')).toBe(1);
});

test('a caller whose second command times out is told that something may have been written', async () => {
  const command = (ticketId: number, body: string) =>
    `${body}: addTicketMessage(input: { ticket: { ticketId: ${ticketId} }, body: "${body}" }) { __typename }`;
  const answer = await whileHeld(
    (tx) => tx`select from tickets where id = 49 for no key update`,
    () => impatient.graphql(`mutation { ${command(43, 'first')} ${command(49, 'second')} }`),
  );
  expect([answer.status, answer.errors]).toMatchObject([
    503,
    [{ path: ['second'], extensions: { code: 'UNAVAILABLE', nothingWritten: false } }],
  ]);
  expect([await countOf('first'), await countOf('second')]).toEqual([1, 0]);
});

test('whoever comes to a ticket for which others wait already is told in time as well', async () => {
  const say = () =>
    impatient.graphql(mutation, { input: { ticket: { ticketId: 44 }, body: 'one after another' } });
  const statuses = await whileHeld(
    (tx) => tx`select from tickets where id = 44 for update`,
    async () => {
      const first = say();
      await expect.poll(() => countWaiting(one.sql)).toBeGreaterThan(0);
      // From here on there is always somebody for whom its lane is kept.
      const others = [say()];
      await first;
      others.push(say());
      return (await Promise.all([first, ...others])).map(({ status }) => status);
    },
  );
  expect(statuses).toEqual([503, 503, 503]);
  expect(await countOf('one after another')).toBe(0);
});

test('one ticket by reference and by id waits in one lane; its numbers have no gap', async () => {
  const calls: Promise<Added>[] = [];
  await whileHeld(
    (tx) => tx`select from tickets where id = 48 for update`,
    async () => {
      for (let n = 0; n < 20; n += 1) {
        const ticket = n % 2 === 0 ? { ticketId: 48 } : { reference: 'INC-000048' };
        calls.push(add(n % 4 < 2 ? one : other, { ticket, body: 'two names' }));
      }
      await expect.poll(() => countWaiting(one.sql)).toBeGreaterThan(0);
    },
  );
  expect(succeeded(await Promise.all(calls))).toEqual([]);
  expect(await countOf('two names')).toBe(20);
  const [row] = await one.sql`
    select count(*)::int as events, max(number) - min(number) + 1 as span, count(distinct message_id)::int as
    messages
    from events where ticket_id = 48 and message_id in (select id from messages where body = 'two names')`;
  expect(row).toEqual({ events: 20, span: 20, messages: 20 });
});

test('a ticket that two processes write to at once loses and doubles nothing', async () => {
  const count = soaking ? 200 : 60;
  const calls = Array.from({ length: count }, (_, n) =>
    addTo(n % 2 ? one : other, 47, { body: `both ${n}` }),
  );
  expect(succeeded(await Promise.all(calls))).toEqual([]);
  const rows = await one.sql`select body from messages where body like 'both %'`;
  expect(new Set(rows.map(({ body }) => body)).size).toBe(count);
  expect(rows).toHaveLength(count);
});

/** What else a message can wait for: each has neighbours in its group that do not need it. */
const otherLocks: Record<
  string,
  { lock: (tx: postgres.TransactionSql) => PromiseLike<unknown>; more: object }
> = {
  'an idempotency key that somebody has written and not committed': {
    lock: (tx) => tx`
      insert into idempotency_keys (user_id, key, fingerprint, message_id)
      select id, 'held key', '\\x00', 1 from users where login = 'operator'`,
    more: { idempotencyKey: 'held key' },
  },
  'the mailbox that its mail goes out by': {
    lock: (tx) => tx`select from mailboxes where address = 'company@domain.com' for update`,
    more: { email: { from: 'company@domain.com' } },
  },
};
for (const [name, { lock, more }] of Object.entries(otherLocks)) {
  test(`a message that waits for ${name} does not hold up its neighbours`, async () => {
    let held: Promise<Added> | undefined;
    const body = `waits for ${name}`;
    await whileHeld(
      async (tx) => {
        await lock(tx);
      },
      async () => {
        held = addTo(one, 46, { body, ...more });
        const others = Array.from({ length: 20 }, (_, n) => addTo(one, 2 + n));
        expect(succeeded(await Promise.all(others))).toEqual([]);
        expect(await countOf(body)).toBe(0);
        throw new Rollback();
      },
    ).catch((error) => {
      if (!(error instanceof Rollback)) throw error;
    });
    expect((await held!).__typename).toBe('AddTicketMessagePayload');
    expect(await countOf(body)).toBe(1);
  });
}
class Rollback extends Error {}

for (const [name, lock, more] of [
  [
    'one mailbox',
    otherLocks['the mailbox that its mail goes out by']!.lock,
    { email: { from: 'company@domain.com' } },
  ],
  [
    'one author',
    (tx: postgres.TransactionSql) => tx`select from users where login = 'operator' for update`,
    {},
  ],
] as const)
  test(`many messages that wait for ${name} keep nobody else from writing`, async () => {
    const [own] = await one.sql`select id from tickets where requester_id = (select id from users
      where login = 'requester') limit 1`;
    const other = { ticket: { ticketId: own!.id }, body: 'needs no such lock' };
    await add(impatient, other, { authorization: asRequester });
    await whileHeld(
      async (tx) => {
        await lock(tx);
      },
      async () => {
        const waiting = Array.from({ length: 40 }, (_, n) =>
          impatient.graphql(mutation, { input: { ticket: { ticketId: 1 + n }, body: 'needs it', ...more } }),
        );
        const others = Array.from({ length: 5 }, () => add(impatient, other, { authorization: asRequester }));
        expect(succeeded(await Promise.all(others))).toEqual([]);
        expect(new Set((await Promise.all(waiting)).map(({ status }) => status))).toEqual(new Set([503]));
      },
    );
    expect(await countOf('needs it')).toBe(0);
  });

test('a ticket that is locked while its author is holds up no other messages of that author', async () => {
  await using patient = await startGateway({ env: { ROLES: 'web' }, database: one.database });
  await addTo(patient, 1);
  const tries: Promise<unknown>[] = [];
  const tryLocked = () => {
    const input = { ticket: { ticketId: 50 }, body: 'locked twice' };
    for (let n = 0; n < 10; n += 1) tries.push(patient.graphql(mutation, { input }));
  };
  const statements = new Set<string>();
  const countStatements = async () => {
    for (const { since } of await one.sql<{ since: string }[]>`select query_start::text as since
      from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
      statements.add(since);
    return statements.size;
  };
  await whileHeld(
    (tx) => tx`select from tickets where id = 50 for update`,
    async () => {
      await whileHeld(
        (tx) => tx`select from users where login = 'operator' for update`,
        async () => {
          tries.push(patient.graphql(mutation, { input: { ticket: { ticketId: 2 }, body: 'locked once' } }));
          // From the second one on, its author has a lane.
          await expect.poll(countStatements).toBeGreaterThan(1);
          tryLocked();
          await expect.poll(countStatements).toBeGreaterThan(2);
        },
      );
      for (let round = 0; round < 2; round += 1) {
        tryLocked();
        const others = Array.from({ length: 15 }, (_, n) => addTo(patient, 3 + n));
        expect(succeeded(await Promise.all(others))).toEqual([]);
      }
    },
  );
  await Promise.all(tries);
});

test('a ticket that is deleted by whoever locked it is not found', async () => {
  const [ticket] = await one.sql`
    insert into tickets (reference, subject, requester_id)
    select 'INC-999999', 'Added by mistake', requester_id from tickets where id = 1 returning id`;
  const calls: Promise<Added>[] = [];
  await whileHeld(
    (tx) => tx`delete from tickets where id = ${ticket!.id}`,
    async () => {
      for (let n = 0; n < 3; n += 1) calls.push(addTo(one, ticket!.id));
      await expect.poll(() => countWaiting(one.sql)).toBeGreaterThan(0);
    },
  );
  expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(Array(3).fill('TICKET_NOT_FOUND'));
});

test('an author whose row is locked does not hold up other authors', async () => {
  let held: Promise<Added> | undefined;
  const [own] = await one.sql`select id from tickets where requester_id = (select id from users
      where login = 'requester') limit 1`;
  await addTo(one, own!.id);
  await add(one, { ticket: { ticketId: own!.id }, body: 'signed in' }, { authorization: asRequester });
  await whileHeld(
    (tx) => tx`select from users where login = 'operator' for update`,
    async () => {
      held = addTo(one, 45, { body: 'by the locked author' });
      const answers = Array.from({ length: 5 }, () =>
        add(
          one,
          { ticket: { ticketId: own!.id }, body: 'by another author' },
          { authorization: asRequester },
        ),
      );
      expect(succeeded(await Promise.all(answers))).toEqual([]);
      expect(await countOf('by the locked author')).toBe(0);
    },
  );
  expect((await held!).__typename).toBe('AddTicketMessagePayload');
});
