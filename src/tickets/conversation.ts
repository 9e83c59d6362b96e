import { type SQL, sql } from 'drizzle-orm';
import type { Reader } from '../db/database.ts';
import { preparedFor } from '../db/prepared.ts';
import type { DeliveryState, MessageFormat, Visibility } from '../vocabulary.ts';
import type { Attachment } from './attachment.ts';
import type { DeskContext } from './desk.ts';
import type { Delivery, Recipient } from './ledger.ts';
import type { Message } from './message.ts';
import type { Person } from './people.ts';
import { isOperator, requireViewer } from './policy.ts';
import type { Page } from './ticket.ts';

/** A message with what its page shows beside it, so that nothing has to be asked for message by message. */
export interface PageMessage extends Message {
  readonly author: Person;
  readonly attachments: readonly Attachment[];
  readonly delivery: Delivery | null;
}

const instant = (column: string): SQL => sql.raw(`(extract(epoch from ${column}) * 1000)::float8`);

/**
 * The same page of several tickets' conversations, oldest first, as one value: rows and columns cost the driver and the mapper
 * more than the database needs to write them as JSON. Instants travel as milliseconds since 1970, digests as hexadecimal text.
 */
const select = (order: 'asc' | 'desc'): SQL => sql`
  select json_agg(json_build_array(
      m.id, m.ticket_id, m.body, m.format, m.visibility, m.is_mobile_device, ${instant('m.created_at')}, ${instant('m.redacted_at')},
      u.id, u.name, u.role, u.email,
      (select json_agg(json_build_array(a.id, a.position, a.file_name, a.content_type, a.byte_size, encode(a.sha256, 'hex'), a.blob_key) order by a.position)
        from attachments a where a.message_id = m.id),
      case when ${sql.placeholder('operator')}::bool and m.visibility = 'PUBLIC' then (
        select json_build_array(d.id, d.state, d.from_address, d.from_name, d.subject, d.rfc_message_id, d.attempts,
          ${instant('d.due_at')}, ${instant('d.settled_at')}, d.failure, ${instant('d.created_at')},
          (select json_agg(json_build_array(r.position, r.kind, r.address, r.name, r.state, r.smtp_reply, r.enhanced_code) order by r.position)
            from delivery_recipients r where r.delivery_id = d.id))
        from deliveries d where d.message_id = m.id) end
    ) order by m.id ${sql.raw(order)}) as rows
  from tickets t
  cross join lateral (
    select p.* from messages p
    where p.ticket_id = t.id and (p.visibility = 'PUBLIC' or ${sql.placeholder('operator')}::bool)
      and p.id > ${sql.placeholder('after')}::int and p.id < ${sql.placeholder('before')}::int
    order by p.id ${sql.raw(order)} limit ${sql.placeholder('limit')}::int
  ) m
  join users u on u.id = m.author_id
  where t.id = any (${sql.placeholder('ids')}::int[]) and (t.requester_id = ${sql.placeholder('viewerId')}::int or ${sql.placeholder('operator')}::bool)`;

type AttachmentRow = [number, number, string, string, number, string, string | null];
type RecipientRow = [
  number,
  Recipient['kind'],
  string,
  string,
  Recipient['state'],
  string | null,
  string | null,
];
type DeliveryRow = [
  ...[number, DeliveryState, string, string, string, string, number],
  ...[number, number | null, string | null, number, RecipientRow[]],
];
type MessageRow = [
  ...[number, number, string, MessageFormat, Visibility, boolean, number, number | null],
  ...[number, string, Person['role'], string | null],
  AttachmentRow[] | null,
  DeliveryRow | null,
];

const prepare = (order: 'asc' | 'desc') =>
  preparedFor((db: Reader) =>
    db
      .with(db.$with('page', {}).as(select(order)))
      .select({ rows: sql<MessageRow[] | null>`rows` })
      .from(sql`page`)
      .prepare(`list_messages_${order}`),
  );
const statements = { asc: prepare('asc'), desc: prepare('desc') };

export async function listMessages(
  ctx: DeskContext,
  ticketIds: readonly number[],
  { after = 0, before = 2_147_483_647, limit, inverted }: Page,
): Promise<Map<number, PageMessage[]>> {
  const viewer = requireViewer(ctx);
  const statement = statements[inverted ? 'desc' : 'asc'];
  const values = {
    ids: ticketIds,
    after,
    before,
    limit,
    viewerId: viewer.userId,
    operator: isOperator(viewer),
  };
  const [page] = await ctx.desk.database.readAs(viewer, (db) => statement(db).execute(values));
  const byTicket = new Map<number, PageMessage[]>(ticketIds.map((id) => [id, []]));
  for (const row of page?.rows ?? []) {
    const message = messageOf(row);
    byTicket.get(message.ticketId)?.push(message);
  }
  // A mail's steps until it is settled change no ticket, so a page that shows one is only true now.
  const messages = [...byTicket.values()].flat();
  if (ctx.reads !== undefined && messages.every(({ delivery }) => delivery?.settledAt !== null))
    ctx.reads.vouch({ conversationsOf: ticketIds, people: messages.map(({ author }) => author) });
  return byTicket;
}

function messageOf(row: MessageRow): PageMessage {
  const [
    id,
    ticketId,
    body,
    format,
    visibility,
    isMobileDevice,
    createdAt,
    redactedAt,
    authorId,
    name,
    role,
    email,
    files,
    delivery,
  ] = row;
  return {
    ...{ id, ticketId, authorId, body, format, visibility, isMobileDevice },
    createdAt: new Date(createdAt),
    redactedAt: redactedAt === null ? null : new Date(redactedAt),
    author: { id: authorId, name, role, email },
    attachments: files === null ? [] : files.map((file) => attachmentOf(id, file)),
    delivery: delivery === null ? null : deliveryOf(id, ticketId, delivery),
  };
}

const attachmentOf = (
  messageId: number,
  [id, position, fileName, contentType, byteSize, sha256, blobKey]: AttachmentRow,
): Attachment => ({
  id,
  messageId,
  position,
  fileName,
  contentType,
  byteSize,
  sha256: Buffer.from(sha256, 'hex'),
  blobKey,
});

function deliveryOf(messageId: number, ticketId: number, row: DeliveryRow): Delivery {
  const [
    id,
    state,
    fromAddress,
    fromName,
    subject,
    rfcMessageId,
    attempts,
    dueAt,
    settledAt,
    failure,
    createdAt,
    recipients,
  ] = row;
  return {
    ...{ id, messageId, ticketId, state, fromAddress, fromName, subject, rfcMessageId, attempts, failure },
    dueAt: new Date(dueAt),
    settledAt: settledAt === null ? null : new Date(settledAt),
    createdAt: new Date(createdAt),
    recipients: recipients.map(recipientOf),
  };
}

const recipientOf = ([
  position,
  kind,
  address,
  name,
  state,
  smtpReply,
  enhancedCode,
]: RecipientRow): Recipient => ({
  ...{ position, kind, address, name, state, smtpReply, enhancedCode },
});
