import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createBacklog } from '../../../src/mail/outbox/backlog.ts';
import { claim } from '../../../src/mail/outbox/claim.ts';
import { loadWithRetries } from '../../../src/mail/worker/delivery-contents.ts';
import { createLog } from '../../../src/platform/log.ts';
import { pagesRead } from '../../support/observed/pages-read.ts';
import { sampled, soaking } from '../../support/soak.ts';
import { createWorld } from '../world/world.ts';

const tickets = 1300;
let world: Awaited<ReturnType<typeof createWorld>>;
let owner: postgres.Sql;

beforeAll(async () => {
  world = await createWorld();
  owner = world.asOwner();
  await owner`insert into tickets (id, reference, subject, requester_id)
    select n, 'INC-' || n, 'Printer', 2 from generate_series(6, ${tickets}::int) n`;
  await owner`insert into mailboxes (id, address, display_name) values (2, 'second@domain.com', 'Second')`;
});
afterAll(async () => {
  await owner.end();
  await world[Symbol.asyncDispose]();
});
beforeEach(() => owner`truncate messages cascade`);

/** Queues mails that are due, the oldest first. @param ticket SQL for the ticket of the mail `n`, from 0 */
async function queue(mails: number, ticket: string): Promise<void> {
  await owner.unsafe(`
    with written as (
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      select ${ticket}, 1, 'B', 'TEXT', 'PUBLIC', false from generate_series(0, ${mails - 1}) n
      returning id, ticket_id
    ), mails as (
      insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject,
        rfc_message_id, state, due_at)
      select id, ticket_id, 1, 'company@domain.com', 'C', 'S', '<' || id || '@x>', 'QUEUED', to_timestamp(id)
      from written returning id)
    insert into delivery_recipients (delivery_id, position, kind, address, name)
    select id, 1, 'TO', 'jane@domain.com', '' from mails`);
}

/** A connection as the gateway has it. */
async function connect(): Promise<postgres.Sql> {
  const sql = postgres({ ...(world.connection as object), max: 1, onnotice: () => {} });
  await sql`set role ticketwire_app`;
  await sql`select set_config('ticketwire.viewer_role', 'DESK', false)`;
  await sql`set plan_cache_mode = force_generic_plan`;
  return sql;
}

const options = (free: number) => ({ worker: 'w', now: new Date(), leaseSeconds: 10, slots: [], free });

/** Claims twice. @returns how many mails each time, and the pages of the outbox that both read */
async function claimTwice(): Promise<{ claimed: number[]; pages: number }> {
  await owner`vacuum analyze messages, deliveries, delivery_recipients`;
  const sql = await connect();
  const claimed: number[] = [];
  const pages = await pagesRead(sql, ['deliveries'], async () => {
    for (let n = 0; n < 2; n += 1) claimed.push((await claim(sql, options(20))).length);
  });
  await sql.end();
  return { claimed, pages };
}

describe('what a claim reads does not grow', () => {
  const few = 'n % 3 + 1';
  const grown: [how: string, mails: number, ticket: string, change: string, claimed: number[]][] = [
    [
      'with mails that were sent',
      2000,
      few,
      "state = 'SENT', settled_at = now() where id <= (select max(id) - 300 from deliveries)",
      [3, 0],
    ],
    // The first mail of each ticket, and then none of theirs until it is settled.
    ['with the mails of three tickets that are due', 2000, few, '', [3, 0]],
    ['with the mails that are due, each of another ticket', 1200, 'n + 1', '', [20, 20]],
    [
      'with mails that wait for a scan',
      2000,
      few,
      'awaits_scan = true where id <= (select max(id) - 300 from deliveries)',
      [3, 0],
    ],
  ];
  test.each(sampled(grown, 2))('%s', async (_, mails, ticket, change, claimed) => {
    await queue(300, ticket);
    const small = await claimTwice();
    await owner`truncate messages cascade`;
    await queue(mails, ticket);
    if (change !== '') await owner.unsafe(`update deliveries set ${change}`);
    const large = await claimTwice();
    expect([small.claimed, large.claimed]).toEqual([claimed, claimed]);
    expect(large.pages).toBeLessThan(1.3 * small.pages + 20);
  });

  test.runIf(soaking)('with mails that are due later, but for pages of an index', async () => {
    await queue(2300, few);
    await owner`update deliveries set state = 'HELD', due_at = now() + interval '1 day'
      where id <= (select max(id) - 300 from deliveries)`;
    const { claimed, pages } = await claimTwice();
    expect(claimed).toEqual([3, 0]);
    expect(pages).toBeLessThan(600);
  });
});

test('what loading a claimed mail reads does not grow with the mails that wait behind it', async () => {
  const pages: number[] = [];
  for (const mails of [300, 2000]) {
    await owner`truncate messages cascade`;
    await queue(mails, 'n % 3 + 1');
    const [sent] = await owner<{ last: number }[]>`select min(id) + 60 as last from deliveries`;
    await owner`update deliveries set state = 'SENT', attempts = 1 where id < ${sent!.last}`;
    await owner`update delivery_recipients set state = 'SENT', sent_at = now()
      where delivery_id < ${sent!.last}`;
    await owner`vacuum analyze messages, deliveries, delivery_recipients`;
    const sql = await connect();
    const log = createLog('silent');
    const read = async () => {
      const loaded = await loadWithRetries(sql, [{ id: sent!.last }], { log, isOver: () => true });
      expect(loaded?.get(sent!.last)?.parts?.thread).toHaveLength(20);
    };
    pages.push(await pagesRead(sql, ['messages', 'deliveries', 'delivery_recipients'], read));
    await sql.end();
  }
  expect(pages[1]).toBeLessThan(1.3 * pages[0]! + 20);
});

test('what counting the backlog reads does not grow with the mails that were sent', async () => {
  const pages: number[] = [];
  for (const sent of soaking ? [400, 4000] : [200, 2000]) {
    await owner`truncate messages cascade`;
    await queue(sent + 100, 'n % 3 + 1');
    await owner`update deliveries set state = 'SENT', attempts = 1, settled_at = now()
      where id <= (select max(id) - 100 from deliveries)`;
    await owner`vacuum analyze deliveries, delivery_recipients`;
    const sql = await connect();
    const read = async () => {
      const { states } = await createBacklog(sql)();
      expect(states.map(({ state, deliveries }) => [state, deliveries])).toContainEqual(['QUEUED', 100]);
      expect(states.find(({ state }) => state === 'QUEUED')?.oldestSeconds).toBeGreaterThan(0);
    };
    pages.push(await pagesRead(sql, ['deliveries'], read));
    await sql.end();
  }
  expect(pages[1]).toBeLessThan(1.3 * pages[0]! + 20);
});

/** Which mails a claim has to take, read from all of them at once. */
const expectedClaims = (sql: postgres.ISql, now: Date, free: number) => sql<{ id: number }[]>`
  select id from (
    select d.id, row_number() over (partition by d.mailbox_id order by d.due_at, d.id) as place
    from deliveries d
    where d.state in ('QUEUED', 'HELD', 'DEFERRED') and not d.awaits_scan and d.due_at <= ${now}
      and not exists (
        select from deliveries e
        where e.mailbox_id = d.mailbox_id and e.ticket_id = d.ticket_id and e.id < d.id and not e.awaits_scan
          and (e.state = 'TRANSMITTING'
            or e.state in ('QUEUED', 'HELD', 'DEFERRED') and e.due_at <= ${now}))
  ) due where place <= ${free} order by id`;

/** The claimed mails and those that have to be; the claim is undone. */
async function compareClaim(free: number): Promise<{ claimed: number[]; expected: number[] }> {
  const sql = await connect();
  const found = { claimed: [] as number[], expected: [] as number[] };
  const undone = new Error('undone');
  await sql
    .begin(async (tx) => {
      const given = options(free);
      found.expected = (await expectedClaims(tx, given.now, free)).map(({ id }) => id);
      found.claimed = (await claim(tx as unknown as postgres.Sql, given))
        .map(({ id }) => id)
        .toSorted((a, b) => a - b);
      throw undone;
    })
    .catch((error) => expect(error).toBe(undone));
  await sql.end();
  return found;
}

describe('the oldest mails are claimed, of each ticket the first', () => {
  test('whatever the states, times, tickets and mailboxes', async () => {
    await queue(400, '1 + n % 12');
    for (let round = 1; round <= (soaking ? 5 : 2); round += 1) {
      await owner`select setseed(${round / 100})`;
      await owner`
        update deliveries d set mailbox_id = 1 + (random() < 0.3)::int, state = s.state,
          attempt = case when s.state = 'TRANSMITTING' then gen_random_uuid() end,
          awaits_scan = s.state = 'HELD' and random() < 0.5,
          due_at = now() + (random() - 0.8) * interval '1 hour'
        from (
          select id, (array['QUEUED', 'HELD', 'DEFERRED', 'SENT', 'CANCELLED', 'TRANSMITTING'])
            [1 + least(floor(random() * 5.1), 5)::int] as state from deliveries) s
        where s.id = d.id`;
      for (const free of [1, 3, 20]) {
        const { claimed, expected } = await compareClaim(free);
        expect(claimed).toEqual(expected);
        expect(expected.length).toBeGreaterThan(0);
      }
    }
  });

  const queues: [what: string, mails: number, ticket: string][] = [
    ['many mails of one ticket before a few others', 310, 'greatest(1, n - 298)'],
    ['many mails of one ticket before 1200 others', 1300, 'greatest(1, n - 98)'],
    ['tickets of fifty mails each', 1000, '1 + n / 50'],
    ['the newest tickets first', 1300, '1300 - n'],
    ['two mails of each of 1100 tickets, the newest first', 2200, '1100 - n / 2'],
  ];
  test.each(sampled(queues, 3))('%s', async (_, mails, ticket) => {
    await queue(mails, ticket);
    const { claimed, expected } = await compareClaim(20);
    expect(claimed).toEqual(expected);
  });
});
