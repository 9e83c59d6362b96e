import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type postgres from 'postgres';
import { createWorker, type Worker, type WorkerPorts } from '../../../src/mail/worker/worker.ts';
import { createLog } from '../../../src/platform/log.ts';
import type { DeliveryState, MessageFormat, Quote, RecipientKind } from '../../../src/platform/vocabulary.ts';
import { BlobMissing } from '../../../src/storage/blob-store.ts';
import { eventually } from '../../support/eventually.ts';

/** A mail that some command has committed. */
export interface QueuedMail {
  ticketId?: number;
  mailboxId?: number;
  to?: string;
  toName?: string;
  cc?: string[];
  bcc?: string[];
  subject?: string;
  body?: string;
  format?: MessageFormat;
  signature?: string;
  quote?: Quote;
  state?: DeliveryState;
  dueAt?: Date;
  giveUpAt?: Date;
  cancelIf?: string[];
  files?: { fileName: string; contentType: string; bytes: Buffer }[];
}

export interface DeliveryView {
  state: DeliveryState;
  phase: string | null;
  attempts: number;
  failure: string | null;
  dueAt: Date;
  recipients: {
    address: string;
    kind: RecipientKind;
    state: string;
    reply: string | null;
    code: string | null;
  }[];
  log: {
    number: number;
    phase: string;
    outcome: string | null;
    reply: string | null;
    bodyAt: string | null;
  }[];
  events: string[];
  messageId: string;
}

/** Blobs in memory: what the worker reads attachments from. */
export function memoryBlobs() {
  const blobs = new Map<string, Buffer>();
  return {
    blobs,
    put(bytes: Buffer): string {
      const key = randomBytes(20).toString('hex');
      blobs.set(key, bytes);
      return key;
    },
    async open(key: string): Promise<Readable> {
      const bytes = blobs.get(key);
      if (bytes === undefined) throw new BlobMissing(key);
      // Odd pieces, as a disk gives them.
      const pieces = function* () {
        for (let at = 0; at < bytes.length; at += 65_521) yield bytes.subarray(at, at + 65_521);
      };
      return Readable.from(pieces(), { objectMode: false });
    },
  };
}
export type MemoryBlobs = ReturnType<typeof memoryBlobs>;

/** An operator, a requester, a mailbox, and as many tickets as asked for. */
export async function fillDesk(
  sql: postgres.Sql,
  { tickets = 5, smtpUrl = null as string | null } = {},
): Promise<void> {
  await sql`insert into users (id, login, name, email, role) values
    (1, 'operator', 'Olga Operator', 'olga@desk.test', 'OPERATOR'), (2, 'jane', 'Jane Doe',
    'jane.doe@domain.com', 'REQUESTER')`;
  await sql`insert into mailboxes (id, address, display_name, smtp_url)
    values (1, 'company@domain.com', 'Company', ${smtpUrl})`;
  await sql`insert into mailbox_grants (mailbox_id, user_id) select 1, id from users where role = 'OPERATOR'`;
  await sql`insert into tickets (id, reference, subject, requester_id)
    select n, 'INC-' || lpad(n::text, 6, '0'), 'Printer ' || n || ' on fire', 2
    from generate_series(1, ${tickets}::int) n`;
}

/**
 * Writes message, files, delivery and recipients in one commit, as the command does. @returns the delivery's
 * id
 */
export async function queueMail(
  sql: postgres.Sql,
  blobs: Pick<MemoryBlobs, 'put'> | undefined,
  mail: QueuedMail = {},
): Promise<number> {
  const {
    ticketId = 1,
    mailboxId = 1,
    to = 'jane.doe@domain.com',
    toName = 'Jane Doe',
    state = 'QUEUED',
    files = [],
  } = mail;
  const people: [RecipientKind, string, string][] = [
    ['TO', to, toName],
    ...(mail.cc ?? []).map((address): [RecipientKind, string, string] => ['CC', address, '']),
    ...(mail.bcc ?? []).map((address): [RecipientKind, string, string] => ['BCC', address, '']),
  ];
  return sql.begin(async (tx) => {
    await tx`set constraints all deferred`;
    await tx`select from tickets where id = ${ticketId} for no key update`;
    const [message] = await tx<{ id: number }[]>`
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      values (${ticketId}, 1, ${mail.body ?? 'Hello'}, ${mail.format ?? 'TEXT'}, 'PUBLIC', false)
      returning id`;
    const [delivery] = await tx<{ id: number }[]>`
      insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject, signature,
      quote, rfc_message_id, state, due_at, cancel_if, give_up_at)
      select ${message!.id}, ${ticketId}, ${mailboxId}, b.address, b.display_name,
        ${mail.subject ?? `Re: Printer ${ticketId} on fire`}, ${mail.signature ?? ''},
        ${mail.quote ?? 'NONE'},
        ${`<${randomBytes(12).toString('hex')}@domain.com>`}, ${state},
        ${mail.dueAt ?? new Date(0)}, ${mail.cancelIf ?? []}, ${mail.giveUpAt ?? null}
      from mailboxes b where b.id = ${mailboxId} returning id`;
    for (const [n, [kind, address, name]] of people.entries())
      await tx`insert into delivery_recipients (delivery_id, position, kind, address, name)
        values (${delivery!.id}, ${n + 1}, ${kind}, ${address}, ${name})`;
    for (const [n, file] of files.entries()) {
      const key = blobs!.put(file.bytes);
      const sha256 = createHash('sha256').update(file.bytes).digest();
      await tx`insert into blobs (key, byte_size, sha256) values (${key}, ${file.bytes.length}, ${sha256})`;
      await tx`insert into attachments (message_id, position, blob_key, file_name, content_type, byte_size,
        sha256)
        values (${message!.id}, ${n + 1}, ${key}, ${file.fileName}, ${file.contentType},
        ${file.bytes.length}, ${sha256})`;
    }
    await tx`update tickets set last_message_id = ${message!.id}, last_public_message_id = ${message!.id},
      last_event_number = last_event_number + 1, last_public_event_number = last_public_event_number + 1
      where id = ${ticketId}`;
    await tx`insert into events (ticket_id, number, public_number, type, visibility, actor_id, message_id,
      delivery_id)
      select id, last_event_number, last_public_event_number, 'MESSAGE_ADDED', 'PUBLIC', 1, ${message!.id},
      ${delivery!.id} from tickets where id = ${ticketId}`;
    await tx`select pg_notify('ticketwire_outbox', '')`;
    return delivery!.id;
  });
}

export async function viewDelivery(sql: postgres.Sql, id: number): Promise<DeliveryView> {
  const [row] = await sql<DeliveryView[]>`
    select d.state, d.phase, d.attempts, d.failure, d.due_at as "dueAt", d.rfc_message_id as "messageId",
      (select json_agg(json_build_object('address', r.address, 'kind', r.kind, 'state', r.state, 'reply',
      r.smtp_reply, 'code', r.enhanced_code) order by r.position)
        from delivery_recipients r where r.delivery_id = d.id) as recipients,
      (select coalesce(json_agg(json_build_object('number', a.number, 'phase', a.phase, 'outcome', a.outcome,
      'reply', a.reply, 'bodyAt', a.body_at) order by a.number), '[]')
        from delivery_attempts a where a.delivery_id = d.id) as log,
      (select coalesce(json_agg(e.type order by e.number), '[]') from events e where e.delivery_id = d.id
      and e.type <> 'MESSAGE_ADDED') as events
    from deliveries d where d.id = ${id}`;
  return row!;
}

/** Waits until a condition on a delivery holds. @throws with the delivery's actual state */
export async function until(
  sql: postgres.Sql,
  id: number,
  wanted: (view: DeliveryView) => boolean,
): Promise<DeliveryView> {
  let view: DeliveryView | undefined;
  return eventually(
    async () => {
      view = await viewDelivery(sql, id);
      return wanted(view) ? view : undefined;
    },
    () => view,
  );
}

/** Whom `untilLookedAgain` writes to. */
export const onlooker = 'onlooker@domain.com';

/**
 * Waits until the workers have looked at the outbox again, and for what dead workers left: by a mail that a
 * dead worker held, of a ticket that no other mail is of. What they had not sent by then they would not have
 * sent. They look for dead workers every quarter of a lease.
 */
export async function untilLookedAgain(sql: postgres.Sql): Promise<void> {
  await sql`insert into tickets (id, reference, subject, requester_id) overriding system value
    values (900, 'INC-000900', 'Looked at', 2) on conflict do nothing`;
  const dueAt = new Date(Date.now() + 3_600_000);
  const id = await queueMail(sql, undefined, { ticketId: 900, to: onlooker, state: 'HELD', dueAt });
  await sql`with left_behind as (
      update deliveries set state = 'TRANSMITTING', phase = 'CONNECT', attempt = gen_random_uuid(), attempts
      = 1,
        lease_until = clock_timestamp() - interval '1 second', due_at = ${new Date(0)} where id = ${id}
        returning *)
    insert into delivery_attempts (delivery_id, number, token, worker, started_at)
    select id, attempts, attempt, 'a dead worker', clock_timestamp() from left_behind`;
  await sql`select pg_notify('ticketwire_outbox', '')`;
  await until(sql, id, inState('SENT'));
}

/**
 * What a worker that died or sleeps leaves behind after a while. A lease short enough to wait for would also
 * expire under a worker that a busy machine holds up.
 */
export async function expireLeases(sql: postgres.Sql): Promise<void> {
  const expired = await sql`update deliveries set lease_until = clock_timestamp() - interval '1 second'
    where state = 'TRANSMITTING' returning id`;
  if (expired.length === 0) throw new Error('no delivery has a lease');
}

export const inState =
  (...states: DeliveryState[]) =>
  (view: DeliveryView) =>
    states.includes(view.state);

/**
 * A started worker that polls often and has long timeouts, so that a busy machine does not look like a silent
 * server.
 */
export function startWorker(ports: Pick<WorkerPorts, 'sql' | 'blobs'> & Partial<WorkerPorts>): Worker {
  const worker = createWorker({
    log: createLog(process.env.LOG_LEVEL ?? 'silent'),
    now: () => new Date(),
    mailboxKey: undefined,
    smtpUrl: undefined,
    leaseSeconds: 10,
    pollSeconds: 0.2,
    random: () => 0.5,
    timeouts: { connect: 60_000, envelope: 60_000, bodyStall: 60_000, final: 60_000 },
    ...ports,
  });
  worker.start();
  return worker;
}
