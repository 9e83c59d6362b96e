import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { type Connection, migrate, openDatabase } from '../../../src/db/database.ts';
import { startEmbedded } from '../../../src/dev/embedded-postgres/start-postgres.ts';
import { startPostfix } from './postfix.ts';
import { type Bench, bare, fileBytes, latencies, ours, type Side } from './throughput-sides.ts';

/*
 * The worker against bare pooled nodemailer loops: the same mails, files, connections, TLS and server,
 * interleaved rounds in one run. Three loops: one that commits before and after each mail, as whoever wants
 * nothing lost or doubled after a crash has to; one that commits only afterwards, and may send twice; and one
 * that writes nothing down at all. All on one PostgreSQL that syncs every commit. The first is the measure.
 * Then the time from commit to 250 for one mail after another.
 *
 *   node test/crash/mail/throughput.ts [--rounds 6] [--mails 600] [--connections 5]
 */

const loops = {
  'durable before and after': bare('before', 'after'),
  'durable after only': bare('after'),
  'nothing written down': bare(),
};
type Loop = keyof typeof loops;
const judged: Loop = 'durable before and after';
const wanted = 0.9;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}

async function open(stack: AsyncDisposableStack, connections: number, mails: number): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'throughput-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'file'), Buffer.alloc(fileBytes, 'Ticketwire'));
  const postfix = stack.use(await startPostfix({ keep: 'discard' }));
  const server = stack.use(await startEmbedded(join(folder, 'pg')));
  await migrate(server.connection);
  const { raw: sql } = stack.use(openDatabase(server.connection));
  await sql`insert into users (id, login, name, email, role) 
    values (1, 'o', 'O', null, 'OPERATOR'), (2, 'j', 'J', 'jane.doe@domain.com', 'REQUESTER')`;
  await sql`insert into mailboxes (id, address, display_name) values (1, 'company@domain.com', 'Company')`;
  await sql`insert into tickets (id, reference, subject, requester_id)
    select n, 'INC-' || n, 'Printer', 2 from generate_series(1, ${mails}::int) n`;
  await sql`insert into blobs (key, byte_size, sha256) values ('file', ${fileBytes}, '')`;
  const outbox = postgres({
    ...(server.connection as Exclude<Connection, string>),
    max: sql.options.max,
  } as object);
  stack.defer(() => outbox.end());
  await outbox`create table outbox (id integer primary key,
    state text not null default 'queued', sent_at timestamptz)`;
  const blobs = { open: async () => createReadStream(join(folder, 'file')) };
  return { sql, outbox, folder, postfix, connections, blobs };
}

async function main(rounds: number, mails: number, connections: number): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const bench = await open(stack, connections, mails);
  const sides = new Map<Loop | 'worker', Side>([
    ['worker', ours],
    ...(Object.entries(loops) as [Loop, Side][]),
  ]);
  for (const side of sides.values()) await side(bench, Math.min(100, mails));
  const ratios = new Map<Loop, number[]>(Object.keys(loops).map((name) => [name as Loop, []]));
  const order = [...sides.keys()];
  for (let round = 1; round <= rounds; round += 1) {
    const rates = new Map<string, number>();
    for (const name of order) rates.set(name, await sides.get(name)!(bench, mails));
    for (const [name, list] of ratios) list.push(rates.get('worker')! / rates.get(name)!);
    // Each side goes first in its turn.
    order.push(order.shift()!);
    const measured = [...sides.keys()].map((name) => `${name} ${rates.get(name)!.toFixed(0)}/s`);
    say(`round ${round}: ${measured.join(', ')}`);
  }
  say(`medians over ${rounds} rounds of ${mails} mails, ${connections} connections, TLS on all sides:`);
  for (const [name, list] of ratios)
    say(
      `  worker / bare nodemailer, ${name}: ${median(list).toFixed(2)}` +
        `${name === judged ? ` (wanted: ${wanted})` : ''}`,
    );
  const times = await latencies(bench, 100);
  say(
    `commit to 250, one mail at a time: p50 ${median(times).toFixed(1)} ms, ` +
      `slowest ${Math.max(...times).toFixed(1)} ms`,
  );
  return median(ratios.get(judged)!) >= wanted ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const number = (fallback: string) => ({ type: 'string' as const, default: fallback });
const { values } = parseArgs({
  options: { rounds: number('6'), mails: number('600'), connections: number('5') },
});
process.exitCode = await main(Number(values.rounds), Number(values.mails), Number(values.connections));
