import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import type postgres from 'postgres';
import { claimsPerConnection } from '../../../src/mail/worker/mailbox-slots.ts';
import type { WorkerPorts } from '../../../src/mail/worker/worker.ts';
import { startWorker } from '../../mail/world/desk.ts';
import type { Postfix } from './postfix.ts';

export const fileBytes = 20_000;
const text = (
  'Hello Jane,\n\nplease unplug it, wait for ten seconds and plug it in again.\n\nYours, the help ' + 'desk\n'
).repeat(5);
const html = `<p>${text.replaceAll('\n', '<br>\n')}</p>`;

export interface Bench {
  /** The worker's connections. */
  readonly sql: postgres.Sql;
  /** As many for the bare loop, to the same server, with its table `outbox`. */
  readonly outbox: postgres.Sql;
  readonly folder: string;
  readonly postfix: Postfix;
  /** To the mail server. */
  readonly connections: number;
  readonly blobs: WorkerPorts['blobs'];
}

/** Sends so many mails. @returns mails per second */
export type Side = (bench: Bench, mails: number) => Promise<number>;

/** Every third mail has a file, on both sides. */
const hasFile = (n: number) => n % 3 === 0;

/**
 * A pooled nodemailer loop as one writes it, over mails that are in memory already.
 * @param marks what it commits of each mail: that it is about to go, so that none is doubled after a crash,
 * and that it has gone, so that none is lost
 */
export function bare(...marks: readonly ('before' | 'after')[]): Side {
  return async ({ outbox, folder, postfix, connections }, mails) => {
    await outbox`truncate outbox`;
    await outbox`insert into outbox (id) select n from generate_series(0, ${mails - 1}::int) n`;
    const transport = createTransport({
      host: '127.0.0.1',
      port: postfix.port,
      requireTLS: true,
      pool: true,
      maxConnections: connections,
      maxMessages: 100,
    });
    const send = async (n: number) => {
      if (marks.includes('before')) await outbox`update outbox set state = 'sending' where id = ${n}`;
      await transport.sendMail({
        from: { name: 'Company', address: 'company@domain.com' },
        to: { name: 'Jane Doe', address: 'jane.doe@domain.com' },
        subject: `Re: Printer ${n} on fire [INC-${n}]`,
        text,
        html,
        attachments: hasFile(n)
          ? [{ filename: 'report.pdf', path: join(folder, 'file'), contentType: 'application/pdf' }]
          : [],
      });
      if (marks.includes('after'))
        await outbox`update outbox set state = 'sent', sent_at = now() where id = ${n}`;
    };
    const began = performance.now();
    // As many at once as the worker claims: no connection waits for a mark.
    const numbers = Array.from({ length: mails }, (_, n) => n).values();
    const lane = async () => {
      for (const n of numbers) await send(n);
    };
    await Promise.all(Array.from({ length: connections * claimsPerConnection }, lane));
    const rate = mails / ((performance.now() - began) / 1000);
    transport.close();
    return rate;
  };
}

/** Commits so many mails in one go, each on a ticket of its own. */
async function fill(sql: postgres.Sql, mails: number): Promise<void> {
  await sql`
    with m as (
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      select n, 1, ${text}, 'TEXT', 'PUBLIC', false from generate_series(1, ${mails}::int) n
      returning id, ticket_id
    ), d as (
      insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject,
      rfc_message_id, state)
      select id, ticket_id, 1, 'company@domain.com', 'Company', 'Re: Printer ' || ticket_id || ' on fire',
      '<' || id || '.abcdef@domain.com>', 'QUEUED' from m
      returning id
    ), a as (
      insert into attachments (message_id, position, blob_key, file_name, content_type, byte_size, sha256)
      select id, 1, 'file', 'report.pdf', 'application/pdf', ${fileBytes}, '' from m where ticket_id % 3 = 0
    )
    insert into delivery_recipients (delivery_id, position, kind, address, name)
    select id, 1, 'TO', 'jane.doe@domain.com', 'Jane Doe' from d`;
}

function start({ sql, postfix, connections, blobs }: Bench, trace: WorkerPorts['trace']) {
  return startWorker({
    sql,
    blobs,
    smtpUrl: postfix.url,
    connections,
    leaseSeconds: 60,
    pollSeconds: 5,
    timeouts: {},
    trace: trace!,
  });
}

/** The worker, with its ledger. */
export const ours: Side = async (bench, mails) => {
  const { sql } = bench;
  await fill(sql, mails);
  let settled = 0;
  const finished = Promise.withResolvers<void>();
  const began = performance.now();
  await using _worker = start(bench, (step) => {
    if (step !== 'settled') return;
    settled += 1;
    if (settled === mails) finished.resolve();
  });
  await finished.promise;
  const rate = mails / ((performance.now() - began) / 1000);
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from deliveries where state <> 'SENT'`;
  if (row!.n > 0) throw new Error(`${row!.n} mails were not sent`);
  return rate;
};

/** Milliseconds from the commit of a mail to the server's 250, for one mail after another. */
export async function latencies(bench: Bench, mails: number): Promise<number[]> {
  const { sql } = bench;
  let answered!: () => void;
  await using _worker = start(bench, (step) => {
    if (step === 'answered') answered();
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
