/*
 * npm run bench -- --growth [--sizes 10000,1000000,10000000] [--rounds N] [--seconds S] [--json FILE] [--dir
 * DIRECTORY]
 *
 * What a message costs when there are many already: one database and one gateway a size, measured in turns,
 * so that whatever else the machine does falls on all of them alike. Written to are the newest tickets, as in
 * life, and apart from that any ticket ever, which no cache likes: its pages are read anew, and written whole
 * to the log after each checkpoint.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drizzle } from 'drizzle-orm/postgres-js';
import type postgres from 'postgres';
import { prepareAppend } from '../../src/tickets/add-message/commit/append-statement.ts';
import type { Contender } from './contenders.ts';
import { printTable, type Round, roundOf, summarise } from './report.ts';
import { cpuOf } from './support/cpu.ts';
import { add, addOf } from './support/documents.ts';
import { run } from './support/load.ts';
import { mailbox, messagesPerReadTicket, readTickets, tickets } from './support/seed.ts';
import { type Running, startAll } from './support/servers.ts';
import { createWorld, defaultDirectory, type World } from './world.ts';

const { values: options } = parseArgs({
  options: {
    growth: { type: 'boolean' },
    sizes: { type: 'string', default: '10000,1000000,10000000' },
    rounds: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '1' },
    json: { type: 'string' },
    dir: { type: 'string', default: defaultDirectory },
  },
});
const sizes = options.sizes.split(',').map(Number);
const rounds = Number(options.rounds);
const say = (text: string) => void process.stdout.write(`${text}\n`);

/**
 * Messages of each ticket of the grown desk, written turn about: the first of every ticket, then the second
 * of every one.
 */
const perTicket = 8;
const seeded = readTickets * messagesPerReadTicket;
const ticketsOf = (size: number): number => Math.round((size - seeded) / perTicket);

/** So many tickets with their messages, events and counters, as the command would have left them. */
const grow = (count: number): string => `
  set session_replication_role = replica;
  insert into tickets (id, reference, subject, requester_id, last_message_id, last_public_message_id,
  message_count,
      public_message_count, last_event_number, last_public_event_number)
    select ${tickets} + n, 'INC-' || (${tickets} + n), 'The printer on floor ' || n || ' is out of paper', 2
    + n % 500,
      ${seeded} + ${perTicket - 1} * ${count} + n, ${seeded} + ${perTicket - 1} * ${count} + n, ${perTicket},
      ${perTicket}, ${perTicket}, ${perTicket}
    from generate_series(1, ${count}) n;
  insert into messages (id, ticket_id, author_id, body, format, visibility, is_mobile_device)
    select ${seeded} + i, ${tickets} + 1 + (i - 1) % ${count}, 1,
    repeat('We looked at it and it is still so. ', 6) || i, 'TEXT', 'PUBLIC', false
    from generate_series(1, ${perTicket * count}) i;
  insert into events (ticket_id, number, public_number, type, visibility, actor_id, message_id)
    select ${tickets} + 1 + (i - 1) % ${count}, 1 + (i - 1) / ${count}, 1 + (i - 1) / ${count},
    'MESSAGE_ADDED', 'PUBLIC', 1, ${seeded} + i
    from generate_series(1, ${perTicket * count}) i;
  select setval('tickets_id_seq', ${tickets + count}), setval('messages_id_seq',
  ${seeded + perTicket * count});
  reset session_replication_role;`;

/** Tickets that are being worked on: as many in a large desk as in a small one. */
const active = 500;
interface Load {
  readonly name: string;
  readonly callers: number;
  readonly anyTicket: boolean;
}
const loads: readonly Load[] = [
  { name: `write, 32 callers, the ${active} newest tickets`, callers: 32, anyTicket: false },
  { name: `write, 1 caller, the ${active} newest tickets`, callers: 1, anyTicket: false },
  { name: 'write, 32 callers, any ticket', callers: 32, anyTicket: true },
];
const pick = (size: number, { anyTicket }: Load): number => {
  const count = ticketsOf(size);
  return tickets + 1 + (anyTicket ? randomInt(count) : count - 1 - randomInt(Math.min(active, count)));
};

const nameOf = (size: number): string => `${size.toLocaleString('en')} messages`;

async function main(): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const world = parts.use(await createWorld(options.dir));
  const contenders = sizes.map(
    (size): Contender => ({
      name: nameOf(size),
      program: 'src/main.ts',
      dialect: 'ours',
      process: `growth_${size}`,
      isGateway: true,
      sql: grow(ticketsOf(size)),
    }),
  );
  const started = performance.now();
  const running = await startAll(world, contenders, join(options.dir, 'gateway'));
  for (const one of running) parts.use(one);
  for (const { database } of running) await settle(world, database);
  say(
    `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; seeded in ` +
      `${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  const acknowledged = new Map<Running, number>(running.map((one) => [one, 0]));
  const results = [];
  for (const load of loads) {
    const summaries = await measure(world, running, load, acknowledged);
    say(printTable(load.name, summaries[0]!.contender, summaries));
    results.push({ ...load, summaries });
  }
  for (const [i, one] of running.entries()) {
    await checkRows(world, one, sizes[i]!, acknowledged.get(one)!);
    await assertNoScan(world, one.database);
  }
  say('rows checked; no statement reads a whole table');
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ sizes, rounds, results }, null, 2)}\n`);
}

/** As autovacuum leaves a table that has stood for a while. */
async function settle(world: World, database: string): Promise<void> {
  const sql = world.connect(database);
  await sql.unsafe('vacuum analyze');
  await sql.unsafe('checkpoint');
  await sql.end();
}

async function measure(
  world: World,
  running: readonly Running[],
  load: Load,
  acknowledged: Map<Running, number>,
) {
  const found = new Map<Running, Round[]>(running.map((one) => [one, []]));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < running.length; turn++) {
      const one = running[(turn + round) % running.length]!;
      const size = sizes[running.indexOf(one)]!;
      const serverBefore = cpuOf(one.pid);
      const databaseBefore = cpuOf(world.serverPid, { withChildren: true });
      const measured = await run({
        port: one.port,
        callers: load.callers,
        durationMs: Number(options.seconds) * 1000,
        request: () => request(world.token, pick(size, load)),
        problem: (body) => addOf('ours', body),
      });
      if (measured.problems > 0) throw new Error(`${one.contender.name}: ${measured.firstProblem}`);
      acknowledged.set(one, acknowledged.get(one)! + measured.operations);
      const databaseMs = cpuOf(world.serverPid, { withChildren: true }) - databaseBefore;
      // Round 0 is to warm up.
      if (round > 0)
        found.get(one)!.push(roundOf(round, measured, cpuOf(one.pid) - serverBefore, databaseMs));
    }
  }
  return summarise(running.map((one) => ({ contender: one.contender.name, rounds: found.get(one)! })));
}

const body = 'Thank you for the photo. We ordered the part; it should be here on Thursday. '.repeat(3);

const request = (token: string, ticketId: number): string =>
  add('ours', token, { ticketId, body, from: mailbox, cc: ['boss@customer.test'], key: randomUUID() })!;

/** Every acknowledged message is there, and in its ticket's count. @throws Error */
async function checkRows(
  world: World,
  { database }: Running,
  size: number,
  acknowledged: number,
): Promise<void> {
  const count = ticketsOf(size);
  const sql = world.connect(database);
  const [found] = await sql<{ written: number; counted: number; keys: number }[]>`
    select (select count(*)::int from messages where id > ${seeded + perTicket * count}) as written,
      (select sum(message_count - ${perTicket})::int from tickets where id > ${tickets}) as counted,
      (select count(*)::int from idempotency_keys) as keys`;
  await sql.end();
  for (const [what, number] of Object.entries(found!)) {
    if (number !== acknowledged) throw new Error(`${database}: ${number} ${what} of ${acknowledged}`);
  }
}

/**
 * @throws Error when the statement, as it is planned for the gateway, reads a table that grows from end to
 * end
 */
async function assertNoScan(world: World, database: string): Promise<void> {
  const sql: postgres.Sql = world.connect(database);
  const { sql: text } = prepareAppend(drizzle(sql)).getQuery();
  await sql.unsafe(`set role ticketwire_app; set ticketwire.viewer_role = 'DESK'`);
  const plan = (await sql.unsafe(`explain (generic_plan) ${text}`)).map((line) =>
    String(Object.values(line)[0]),
  );
  await sql.end();
  const scanned = 'tickets|messages|events|idempotency_keys|attachments|blobs|deliveries|delivery_recipients';
  const scan = new RegExp(`Seq Scan on (${scanned})\\b`);
  const scans = plan.filter((line) => scan.test(line));
  if (scans.length > 0) throw new Error(`${database}: ${scans.join('; ')}`);
}

await main();
