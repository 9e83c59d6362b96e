import { sql } from 'drizzle-orm';
import { insertFrom } from '../../../db/insert-from.ts';
import { membersOf, recordColumns } from '../../../db/json-record.ts';
import { literal, reading, writing } from '../../../db/statement-parts.ts';
import { attachments, blobs, deliveries, deliveryRecipients, messages } from '../../../db/tables.ts';
import { awaitsScan } from '../../../mail/outbox/explain-failure.ts';
import { authoredOf, fileColumns, optionalFileColumns } from '../columns.ts';
import { accepted } from './accept-rows.ts';

/* Steps that write each accepted row. */

const row = accepted.columns;

const newMessages = writing(
  'new_messages',
  insertFrom(
    messages,
    {
      id: row.messageId,
      ticketId: row.ticketId,
      authorId: row.viewerId,
      ...authoredOf(row),
      createdAt: row.at,
    },
    accepted,
  ),
);

const fileMembers = { ...fileColumns, ...optionalFileColumns };
/** Step with the files of the accepted rows, each with the id of its new attachment and of its message. */
export const files = reading(
  'files',
  {
    ...membersOf('file', fileMembers),
    messageId: row.messageId,
    id: sql`nextval('attachments_id_seq')::int`,
  },
  sql`from ${accepted}
    cross join lateral json_to_recordset(${row.files}) as file ${recordColumns(fileMembers)}
    where ${row.files} is not null`,
);
/** The columns of `files`, for later steps. */
export const file = files.columns;
const sha256 = sql`decode(${file.sha256}, 'hex')`;

/** One part of a request may be attached several times. */
const newBlobs = writing(
  'new_blobs',
  sql`${insertFrom(
    blobs,
    { key: file.blobKey, byteSize: file.byteSize, sha256 },
    sql`${files} where ${file.isFresh}`,
  )} on conflict do nothing`,
);

const newAttachments = writing(
  'new_attachments',
  insertFrom(
    attachments,
    {
      id: file.id,
      messageId: file.messageId,
      position: file.position,
      blobKey: file.blobKey,
      fileName: file.fileName,
      contentType: file.contentType,
      byteSize: file.byteSize,
      sha256,
      contentId: file.contentId,
      isInline: file.isInline,
      uploadId: file.uploadId,
      scan: file.scan,
      scanDueAt: sql`case when ${file.scan} is not null then clock_timestamp() end`,
    },
    files,
  ),
);

/** Either all files of a message are scanned or none is. */
const isScanned = sql`${row.files}->0->>'scan' is not null`;
const newDeliveries = writing(
  'new_deliveries',
  insertFrom(
    deliveries,
    {
      id: row.deliveryId,
      messageId: row.messageId,
      ticketId: row.ticketId,
      mailboxId: row.mailboxId,
      fromAddress: row.fromAddress,
      fromName: row.fromName,
      subject: row.mailSubject,
      signature: row.signature,
      quote: row.quote,
      rfcMessageId: row.rfcMessageId,
      autoSubmitted: sql`coalesce(${row.autoSubmitted}, false)`,
      state: sql`case when ${row.dueAt} is null then 'QUEUED' else 'HELD' end`,
      dueAt: sql`coalesce(to_timestamp(${row.dueAt} / 1000), ${row.at})`,
      cancelIf: sql`coalesce(${row.cancelIf}, '{}')`,
      awaitsScan: sql`coalesce(${isScanned}, false)`,
      failure: sql`case when ${isScanned} then ${literal(awaitsScan)} end`,
    },
    sql`${accepted} where ${row.deliveryId} is not null`,
  ),
);

const newRecipients = writing(
  'new_recipients',
  insertFrom(
    deliveryRecipients,
    {
      deliveryId: row.deliveryId,
      position: sql`recipient.position`,
      kind: sql`recipient.kind`,
      address: sql`recipient.address`,
      name: sql`recipient.name`,
    },
    sql`${accepted} cross join lateral (
      select 1 as position, 'TO' as kind, ${row.toAddress} as address, ${row.toName} as name
      union all
      select 1 + c.place, c.value->>'kind', c.value->>'address', ''
      from json_array_elements(${row.copies}) with ordinality as c (value, place)
    ) recipient where ${row.deliveryId} is not null`,
  ),
);

/** Steps that insert the messages, the deliveries and their recipients of the accepted rows. */
export const messageWrites = [newMessages, newDeliveries, newRecipients];
/** Steps that insert the blobs and attachments of the accepted rows. Plain rows do not need them. */
export const fileWrites = [files, newBlobs, newAttachments];
