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

/**
 * The same page of several tickets' conversations, oldest first: one statement, whatever hangs on the messages. Instants and
 * digests travel as numbers and hexadecimal text.
 */
const select = (order: 'asc' | 'desc'): SQL => sql`
  select m.id, m.ticket_id, m.author_id, m.body, m.format, m.visibility, m.is_mobile_device,
    (extract(epoch from m.created_at) * 1000)::float8 as created_at, (extract(epoch from m.redacted_at) * 1000)::float8 as redacted_at,
    u.name as author_name, u.role as author_role, u.email as author_email,
    (select json_agg(json_build_array(a.id, a.position, a.file_name, a.content_type, a.byte_size, encode(a.sha256, 'hex'), a.blob_key) order by a.position)
      from attachments a where a.message_id = m.id) as attachments,
    case when ${sql.placeholder('operator')}::bool and m.visibility = 'PUBLIC' then (
      select json_build_array(d.id, d.state, d.from_address, d.from_name, d.subject, d.rfc_message_id, d.attempts,
        extract(epoch from d.due_at) * 1000, extract(epoch from d.settled_at) * 1000, d.failure, extract(epoch from d.created_at) * 1000,
        (select json_agg(json_build_array(r.position, r.kind, r.address, r.name, r.state, r.smtp_reply, r.enhanced_code) order by r.position)
          from delivery_recipients r where r.delivery_id = d.id))
      from deliveries d where d.message_id = m.id) end as delivery
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

const prepare = (order: 'asc' | 'desc') =>
  preparedFor((db: Reader) =>
    db
      .with(db.$with('page', {}).as(select(order)))
      .select({
        id: sql<number>`id`,
        ticketId: sql<number>`ticket_id`,
        authorId: sql<number>`author_id`,
        body: sql<string>`body`,
        format: sql<MessageFormat>`format`,
        visibility: sql<Visibility>`visibility`,
        isMobileDevice: sql<boolean>`is_mobile_device`,
        createdAt: sql<number>`created_at`,
        redactedAt: sql<number | null>`redacted_at`,
        authorName: sql<string>`author_name`,
        authorRole: sql<Person['role']>`author_role`,
        authorEmail: sql<string | null>`author_email`,
        attachments: sql<AttachmentRow[] | null>`attachments`,
        delivery: sql<DeliveryRow | null>`delivery`,
      })
      .from(sql`page`)
      .orderBy(sql`id ${sql.raw(order)}`)
      .prepare(`list_messages_${order}`),
  );
const statements = { asc: prepare('asc'), desc: prepare('desc') };
type Row = Awaited<ReturnType<ReturnType<typeof statements.asc>['execute']>>[number];

export async function listMessages(
  ctx: DeskContext,
  ticketIds: readonly number[],
  { after = 0, before = 2_147_483_647, limit, inverted }: Page,
): Promise<Map<number, PageMessage[]>> {
  const viewer = requireViewer(ctx);
  const { userId: viewerId } = viewer;
  const rows = await ctx.desk.database.readAs(viewer, (db) =>
    statements[inverted ? 'desc' : 'asc'](db).execute({
      ids: ticketIds,
      after,
      before,
      limit,
      viewerId,
      operator: isOperator(viewer),
    }),
  );
  const byTicket = new Map<number, PageMessage[]>(ticketIds.map((id) => [id, []]));
  for (const row of rows) byTicket.get(row.ticketId)?.push(messageOf(row));
  return byTicket;
}

function messageOf({
  authorName,
  authorRole,
  authorEmail,
  attachments,
  delivery,
  createdAt,
  redactedAt,
  ...row
}: Row): PageMessage {
  const { id, ticketId, authorId } = row;
  return {
    ...row,
    createdAt: new Date(createdAt),
    redactedAt: redactedAt === null ? null : new Date(redactedAt),
    author: { id: authorId, name: authorName, role: authorRole, email: authorEmail },
    attachments: attachments === null ? [] : attachments.map((file) => attachmentOf(id, file)),
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
    recipients: recipients.map(
      ([position, kind, address, name, recipientState, smtpReply, enhancedCode]) => ({
        ...{ position, kind, address, name, smtpReply, enhancedCode },
        state: recipientState,
      }),
    ),
  };
}
