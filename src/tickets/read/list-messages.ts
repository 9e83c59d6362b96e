import { type SQL, sql } from 'drizzle-orm';
import type { Reader } from '../../db/database.ts';
import { preparedFor } from '../../db/prepare-once.ts';
import type { DeliveryState, ScanState } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import type { Delivery, Recipient } from '../deliveries/load-deliveries.ts';
import { isOperator, requireViewer } from '../permissions.ts';
import type { Attachment } from './attachments.ts';
import type { Message } from './load-messages.ts';
import { instant, type MessageFields, messageFields, messageOf } from './message-json.ts';
import type { KeysetPage } from './pagination.ts';
import type { Person } from './people-and-mailboxes.ts';

/** A message with its author, attachments and delivery, so that a page needs no query per message. */
export interface PageMessage extends Message {
  readonly author: Person;
  readonly attachments: readonly Attachment[];
  readonly delivery: Delivery | null;
}

/** The same page of several conversations. */
const page = (order: 'asc' | 'desc'): SQL => sql`
  select m.* from tickets t
  cross join lateral (
    select p.* from messages p
    where p.ticket_id = t.id and (p.visibility = 'PUBLIC' or ${sql.placeholder('operator')}::bool)
      and p.id > ${sql.placeholder('after')}::int and p.id < ${sql.placeholder('before')}::int
    order by p.id ${sql.raw(order)} limit ${sql.placeholder('limit')}::int
  ) m
  where t.id = any (${sql.placeholder('ids')}::int[])
    and (t.requester_id = ${sql.placeholder('viewerId')}::int or ${sql.placeholder('operator')}::bool)`;

const mails: SQL = sql`
  select d.* from deliveries d
  where ${sql.placeholder('operator')}::bool
    and d.message_id = any (array(select id from page where visibility = 'PUBLIC'))`;

/** A message's body, or null when the bodies of the page exceed `bodyBytes` together. */
const ifShort: SQL = sql`
  case when (select sum(octet_length(body)) from page) <= ${sql.placeholder('bodyBytes')}::int
    then m.body end`;

/**
 * All rows as one value, each table's rows in a list of their own and unordered: PostgreSQL pays more for a
 * subquery per message and a sort per list than this process pays for joining them, and the driver pays more
 * for columns than the database for JSON.
 */
const rows: SQL = sql`
  select json_build_array(
    (select json_agg(json_build_array(${sql.join(messageFields(ifShort), sql`, `)})) from page m),
    (select json_agg(json_build_array(u.id, u.name, u.role, u.email))
      from users u where u.id = any (array(select author_id from page))),
    (select json_agg(json_build_array(a.message_id, a.id, a.position, a.file_name, a.content_type,
        a.byte_size, encode(a.sha256, 'hex'), a.blob_key, a.scan, a.content_id, a.is_inline))
      from attachments a where a.message_id = any (array(select id from page))),
    (select json_agg(json_build_array(d.message_id, d.id, d.state, d.from_address, d.from_name, d.subject,
        d.rfc_message_id, d.attempts, ${instant('d.due_at')}, ${instant('d.settled_at')}, d.failure,
        ${instant('d.created_at')})) from mails d),
    (select json_agg(json_build_array(r.delivery_id, r.position, r.kind, r.address, r.name, r.state,
        r.smtp_reply, r.enhanced_code))
      from delivery_recipients r where r.delivery_id = any (array(select id from mails)))
  ) as rows`;

type PersonTuple = [number, string, Person['role'], string | null];
type AttachmentTuple = [
  ...[number, number, number, string, string, number, string],
  ...[string | null, ScanState | null, string | null, boolean],
];
type DeliveryTuple = [
  ...[number, number, DeliveryState, string, string, string, string, number],
  ...[number, number | null, string | null, number],
];
type RecipientTuple = [
  ...[number, number, Recipient['kind'], string, string],
  ...[Recipient['state'], string | null, string | null],
];
type PageTuples = [
  ...[MessageFields[] | null, PersonTuple[] | null, AttachmentTuple[] | null],
  ...[DeliveryTuple[] | null, RecipientTuple[] | null],
];

const prepare = (order: 'asc' | 'desc') =>
  preparedFor((db: Reader) =>
    db
      .with(
        db.$with('page', {}).as(page(order)),
        db.$with('mails', {}).as(mails),
        db.$with('rows', {}).as(rows),
      )
      .select({ rows: sql<PageTuples>`rows` })
      .from(sql`rows`)
      .prepare(`list_messages_${order}`),
  );
const statements = { asc: prepare('asc'), desc: prepare('desc') };

/**
 * Reads one page of each ticket's visible messages, by ticket id.
 * @param bodyBytes limit for all bodies of the pages together, in bytes; when it is exceeded, all bodies are
 *   left out
 */
export async function listMessages(
  ctx: TicketContext,
  ticketIds: readonly number[],
  { after = 0, before = 2_147_483_647, limit, inverted }: KeysetPage,
  bodyBytes: number,
): Promise<Map<number, PageMessage[]>> {
  const viewer = requireViewer(ctx);
  const statement = statements[inverted ? 'desc' : 'asc'];
  const values = {
    ids: ticketIds,
    after,
    before,
    limit,
    bodyBytes,
    // Operators' pages do not depend on who reads them.
    viewerId: isOperator(viewer) ? null : viewer.userId,
    operator: isOperator(viewer),
  };
  const [answer] = await ctx.services.database.readAs(viewer, (db) => statement(db).execute(values));
  const found = messagesOf(answer!.rows).sort((a, b) => (inverted ? b.id - a.id : a.id - b.id));
  const byTicket = new Map<number, PageMessage[]>(ticketIds.map((id) => [id, []]));
  for (const message of found) byTicket.get(message.ticketId)!.push(message);
  return byTicket;
}

function messagesOf([rows, people, files, mails, recipients]: PageTuples): PageMessage[] {
  const authors = new Map(people?.map(([id, name, role, email]) => [id, { id, name, role, email }]));
  const filesOf = inOrder(files, attachmentOf);
  const recipientsOf = inOrder(recipients, recipientOf);
  const mailOf = new Map(mails?.map((row) => [row[0], row]));
  return (rows ?? []).map((fields) => {
    const message = messageOf(fields);
    const mail = mailOf.get(message.id);
    const delivery =
      mail === undefined ? null : deliveryOf(message.ticketId, mail, recipientsOf.get(mail[1]) ?? []);
    const author = authors.get(message.authorId)!;
    return { ...message, author, attachments: filesOf.get(message.id) ?? [], delivery };
  });
}

/** Groups rows by the parent's id in the first column, by position. */
function inOrder<R extends [number, ...unknown[]], V extends { readonly position: number }>(
  rows: readonly R[] | null,
  of: (row: R) => V,
): Map<number, V[]> {
  const found = new Map<number, V[]>();
  for (const row of rows ?? []) {
    const siblings = found.get(row[0]);
    if (siblings === undefined) found.set(row[0], [of(row)]);
    else siblings.push(of(row));
  }
  for (const siblings of found.values()) siblings.sort((a, b) => a.position - b.position);
  return found;
}

const attachmentOf = ([
  messageId,
  id,
  position,
  fileName,
  contentType,
  byteSize,
  sha256,
  blobKey,
  scan,
  contentId,
  isInline,
]: AttachmentTuple): Attachment => ({
  ...{ id, messageId, position, fileName, contentType, byteSize, blobKey, scan, contentId, isInline },
  sha256: Buffer.from(sha256, 'hex'),
});

function deliveryOf(ticketId: number, row: DeliveryTuple, recipients: readonly Recipient[]): Delivery {
  const [
    messageId,
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
  ] = row;
  return {
    ...{ id, messageId, ticketId, state, fromAddress, fromName, subject, rfcMessageId, attempts, failure },
    dueAt: new Date(dueAt),
    settledAt: settledAt === null ? null : new Date(settledAt),
    createdAt: new Date(createdAt),
    recipients,
  };
}

const recipientOf = ([
  ,
  position,
  kind,
  address,
  name,
  state,
  smtpReply,
  enhancedCode,
]: RecipientTuple): Recipient => ({
  ...{ position, kind, address, name, state, smtpReply, enhancedCode },
});
