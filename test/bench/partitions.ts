/*
 * npm run bench:partitions [-- --sizes 1000000,10000000] [--partitions 24] [--dir DIRECTORY]
 *
 * Whether partitions of messages by time would pay: the table as it is, beside the same rows in partitions by
 * id, which grows with time and keeps the primary key. Blocks and bytes of log are counted, because they are
 * the same on a busy machine. Planning is what a statement that is not prepared pays each time.
 */
import { parseArgs } from 'node:util';
import type postgres from 'postgres';
import { createWorld, defaultDirectory } from './world.ts';

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000000,10000000' },
    partitions: { type: 'string', default: '24' },
    dir: { type: 'string', default: defaultDirectory },
  },
});
const partitions = Number(options.partitions);
const layouts = ['whole', 'parted'] as const;
type Layout = (typeof layouts)[number];
const say = (text: string) => void process.stdout.write(`${text}\n`);

/** Messages a ticket; each ticket's are spread evenly over the whole time. */
const perTicket = 50;
const page = 50;
const inserted = 10_000;

async function fill(sql: postgres.Sql, rows: number): Promise<void> {
  const step = Math.ceil(rows / (partitions - 1));
  const parts = Array.from({ length: partitions }, (_, n) => {
    const to = n === partitions - 1 ? 'maxvalue' : (n + 1) * step;
    return `create table parted_${n} partition of parted for values from (${n * step}) to (${to});`;
  });
  const like = 'like messages including defaults including constraints';
  await sql.unsafe(`
    drop table if exists whole, parted;
    create table whole (${like});
    create table parted (${like}) partition by range (id);
    ${parts.join('\n')}
    insert into whole (id, ticket_id, author_id, body, format, visibility, is_mobile_device)
      select i, i % ${rows / perTicket}, 1, repeat('a message of usual length. ', 12), 'TEXT',
        case when i % 4 = 0 then 'PRIVATE' else 'PUBLIC' end, false
      from generate_series(1, ${rows}) i;
    insert into parted select * from whole;`);
  for (const layout of layouts) {
    await sql.unsafe(`alter table ${layout} add primary key (id)`);
    await sql.unsafe(`alter table ${layout} add unique (ticket_id, id, visibility)`);
    await sql.unsafe(`vacuum (analyze) ${layout}`);
  }
}

interface Explained {
  readonly 'Planning Time': number;
  readonly Plan: { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
}

/** The least planning time of several, and the blocks that the statement reads. */
async function explained(sql: postgres.Sql, statement: string): Promise<{ blocks: number; plan: number }> {
  const plans: number[] = [];
  let blocks = 0;
  for (let n = 0; n < 7; n += 1) {
    const [row] = await sql.unsafe(`explain (analyze, buffers, format json) ${statement}`);
    const { Plan, 'Planning Time': planning } = (row!['QUERY PLAN'] as Explained[])[0]!;
    plans.push(planning);
    blocks = Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks'];
  }
  return { blocks, plan: Math.min(...plans) };
}

/** Bytes of write-ahead log that a statement makes. */
async function logged(sql: postgres.Sql, statement: string): Promise<number> {
  await sql`checkpoint`;
  const [before] = await sql`select pg_current_wal_insert_lsn() as lsn`;
  await sql.unsafe(statement);
  const [after] = await sql`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), ${before!.lsn}) as bytes`;
  return Number(after!.bytes);
}

const selected = (layout: Layout, where: string, limit: number) =>
  `select * from ${layout} where ${where} order by id desc limit ${limit}`;

/** @returns name, and what it costs in each layout */
async function rowsOf(
  sql: postgres.Sql,
  rows: number,
): Promise<[string, (layout: Layout) => Promise<string>][]> {
  const ticket = Math.floor(rows / perTicket / 2);
  const reading = (where: string, limit: number) => async (layout: Layout) => {
    const { blocks, plan } = await explained(sql, selected(layout, where, limit));
    return `${blocks} blocks, planned in ${plan.toFixed(2)} ms`;
  };
  const writing = (statement: (layout: Layout) => string) => async (layout: Layout) =>
    `${((await logged(sql, statement(layout))) / 2 ** 20).toFixed(1)} MiB of log`;
  const oldest = Math.ceil(rows / (partitions - 1));
  return [
    ['one message by its id', reading(`id = ${Math.floor(rows / 3)}`, 1)],
    ["a ticket's last message", reading(`ticket_id = ${ticket}`, 1)],
    [`the last page of ${page}`, reading(`ticket_id = ${ticket}`, page)],
    ['10 before the middle', reading(`ticket_id = ${ticket} and id < ${rows / 2}`, 10)],
    ['a ticket that has none', reading('ticket_id = -1', page)],
    [
      `${inserted} messages more`,
      writing(
        (layout) => `insert into ${layout} select ${rows} + i, (i * 7919::bigint) % ${rows / perTicket}, 1,
          repeat('a message of usual length. ', 12), 'TEXT', 'PUBLIC', false, null, now(), null
          from generate_series(1, ${inserted}) i`,
      ),
    ],
    [
      'the oldest part deleted',
      writing((layout) =>
        layout === 'whole' ? `delete from whole where id < ${oldest}` : 'drop table parted_0',
      ),
    ],
  ];
}

await using world = await createWorld(options.dir, { maintenance_work_mem: '1GB', max_wal_size: '16GB' });
say(`| messages | what | as it is | in ${partitions} partitions |\n|---:|---|---|---|`);
for (const rows of options.sizes.split(',').map(Number)) {
  const name = `messages_${rows}`;
  await world.createDatabase(name, '');
  const sql = world.connect(name);
  await fill(sql, rows);
  for (const [what, cost] of await rowsOf(sql, rows))
    say(`| ${rows} | ${what} | ${await cost('whole')} | ${await cost('parted')} |`);
  await sql.end();
}
