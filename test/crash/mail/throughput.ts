import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTransport } from 'nodemailer';
import type postgres from 'postgres';
import { migrate, openDatabase } from '../../../src/db/database.ts';
import { startEmbedded } from '../../../src/db/embedded.ts';
import { startWorker } from '../../mail/world/desk.ts';
import { startPostfix } from './postfix.ts';

/*
 * The worker against a bare pooled nodemailer loop: the same mails, files, connections and server, interleaved rounds in one run; our
 * side with its ledger on a PostgreSQL that syncs every commit. Then the time from commit to 250 for one mail after another.
 *
 *   node test/crash/mail/throughput.ts [--rounds 6] [--mails 600] [--connections 5]
 */

const fileBytes = 20_000;
const text =
  'Hello Jane,\n\nplease unplug it, wait for ten seconds and plug it in again.\n\nYours, the help desk\n'.repeat(
    5,
  );
const html = `<p>${text.replaceAll('\n', '<br>\n')}</p>`;

interface Bench {
  readonly sql: postgres.Sql;
  readonly folder: string;
  readonly url: string;
  readonly connections: number;
  readonly blobs: { open(key: string): Promise<NodeJS.ReadableStream> };
}

/** Every third mail has a file, on both sides. */
const hasFile = (n: number) => n % 3 === 0;

async function bare({ folder, url, connections }: Bench, mails: number): Promise<number> {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: connections,
    maxMessages: 100,
  } as object);
  const began = performance.now();
  await Promise.all(
    Array.from({ length: mails }, (_, n) =>
      transport.sendMail({
        from: { name: 'Company', address: 'company@domain.com' },
        to: { name: 'Jane Doe', address: 'jane.doe@domain.com' },
        subject: `Re: Printer ${n} on fire [INC-${n}]`,
        text,
        html,
        attachments: hasFile(n)
          ? [{ filename: 'report.pdf', path: join(folder, 'file'), contentType: 'application/pdf' }]
          : [],
      }),
    ),
  );
  const seconds = (performance.now() - began) / 1000;
  transport.close();
  return mails / seconds;
}

/** Commits so many mails in one go, each on a ticket of its own. */
async function fill(sql: postgres.Sql, mails: number): Promise<void> {
  await sql`
    with m as (
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      select n, 1, ${text}, 'TEXT', 'PUBLIC', false from generate_series(1, ${mails}::int) n returning id, ticket_id
    ), d as (
      insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject, rfc_message_id, state)
      select id, ticket_id, 1, 'company@domain.com', 'Company', 'Re: Printer ' || ticket_id || ' on fire', '<' || id || '.abcdef@domain.com>', 'QUEUED' from m
      returning id
    ), a as (
      insert into attachments (message_id, position, blob_key, file_name, content_type, byte_size, sha256)
      select id, 1, 'file', 'report.pdf', 'application/pdf', ${fileBytes}, '' from m where ticket_id % 3 = 0
    )
    insert into delivery_recipients (delivery_id, position, kind, address, name) select id, 1, 'TO', 'jane.doe@domain.com', 'Jane Doe' from d`;
}

async function ours({ sql, url, connections, blobs }: Bench, mails: number): Promise<number> {
  await fill(sql, mails);
  let settled = 0;
  let done!: () => void;
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  const began = performance.now();
  await using _worker = startWorker({
    sql,
    blobs: blobs as never,
    smtpUrl: url,
    connections,
    leaseSeconds: 60,
    pollSeconds: 5,
    timeouts: {},
    trace(step) {
      if (step !== 'settled') return;
      settled += 1;
      if (settled === mails) done();
    },
  });
  await finished;
  const rate = mails / ((performance.now() - began) / 1000);
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from deliveries where state <> 'SENT'`;
  if (row!.n > 0) throw new Error(`${row!.n} mails were not sent`);
  return rate;
}

/** Milliseconds from the commit of a mail to the server's 250, for one mail after another. */
async function latencies({ sql, url, blobs }: Bench, mails: number): Promise<number[]> {
  let answered!: () => void;
  await using _worker = startWorker({
    sql,
    blobs: blobs as never,
    smtpUrl: url,
    leaseSeconds: 60,
    pollSeconds: 5,
    timeouts: {},
    trace(step) {
      if (step === 'answered') answered();
    },
  });
  const times: number[] = [];
  for (let n = 0; n < mails; n += 1) {
    const over = new Promise<void>((resolve) => {
      answered = resolve;
    });
    await fill(sql, 1);
    const committed = performance.now();
    await sql`select pg_notify('ticketwire_outbox', '')`;
    await over;
    times.push(performance.now() - committed);
  }
  return times;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}

async function main(rounds: number, mails: number, connections: number): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'throughput-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'file'), Buffer.alloc(fileBytes, 'Ticketwire'));
  const postfix = stack.use(await startPostfix({ keep: 'discard' }));
  const server = stack.use(await startEmbedded(join(folder, 'pg')));
  await migrate(server.connection);
  const { raw: sql } = stack.use(openDatabase(server.connection));
  await sql`insert into users (id, login, name, email, role) values (1, 'o', 'O', null, 'OPERATOR'), (2, 'j', 'J', 'jane.doe@domain.com', 'REQUESTER')`;
  await sql`insert into mailboxes (id, address, display_name) values (1, 'company@domain.com', 'Company')`;
  await sql`insert into tickets (id, reference, subject, requester_id) select n, 'INC-' || n, 'Printer', 2 from generate_series(1, ${mails}::int) n`;
  await sql`insert into blobs (key, byte_size, sha256) values ('file', ${fileBytes}, '')`;
  const bench: Bench = {
    sql,
    folder,
    url: postfix.url,
    connections,
    blobs: { open: async () => createReadStream(join(folder, 'file')) },
  };
  await bare(bench, 100);
  await ours(bench, Math.min(100, mails));
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    // Each side goes first in every other round.
    const sides = round % 2 === 0 ? [ours, bare] : [bare, ours];
    const rates = new Map<typeof ours, number>();
    for (const side of sides) rates.set(side, await side(bench, mails));
    const [a, b] = [rates.get(ours)!, rates.get(bare)!];
    ratios.push(a / b);
    say(
      `round ${round}: worker ${a.toFixed(0)}/s, bare nodemailer ${b.toFixed(0)}/s, ratio ${(a / b).toFixed(2)}`,
    );
  }
  say(
    `median ratio ${median(ratios).toFixed(2)} over ${rounds} rounds of ${mails} mails, ${connections} connections`,
  );
  const times = await latencies(bench, 100);
  say(
    `commit to 250, one mail at a time: p50 ${median(times).toFixed(1)} ms, slowest ${Math.max(...times).toFixed(1)} ms`,
  );
  return median(ratios) >= 0.9 ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const number = (fallback: string) => ({ type: 'string' as const, default: fallback });
const { values } = parseArgs({
  options: { rounds: number('6'), mails: number('600'), connections: number('5') },
});
process.exitCode = await main(Number(values.rounds), Number(values.mails), Number(values.connections));
