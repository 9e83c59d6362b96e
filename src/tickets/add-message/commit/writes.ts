import { type SQL, sql } from 'drizzle-orm';
import { eventsChannel, outboxChannel, scansChannel } from '../../../db/channels.ts';
import { assign, type Changes, insertFrom } from '../../../db/insert-from.ts';
import { membersOf, recordColumns } from '../../../db/json-record.ts';
import { reading, writing } from '../../../db/step.ts';
import {
  attachments,
  auditEntries,
  blobs,
  deliveries,
  deliveryRecipients,
  events,
  messages,
  tickets,
} from '../../../db/tables.ts';
import { awaitsScan } from '../../../mail/outbox/failure.ts';
import { authoredOf } from '../authored.ts';
import { accepted } from './accept.ts';
import { fileColumns, optionalFileColumns } from './columns.ts';

/* Steps that write each accepted row, and the group's totals. */

const literal = (text: string): SQL => sql.raw(`'${text}'`);

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
const file = files.columns;
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

const eventOfMessage = {
  ticketId: row.ticketId,
  number: row.eventNumber,
  publicNumber: row.publicNumber,
  type: sql`'MESSAGE_ADDED'`,
  visibility: row.visibility,
  actorId: row.viewerId,
  messageId: row.messageId,
  deliveryId: row.deliveryId,
  createdAt: row.at,
};
const newEventsPlain = writing('new_events', insertFrom(events, eventOfMessage, accepted));

/** A message that reopens its ticket has two events: the ticket's, then its own. */
const isReopening = sql`reopening."isReopening"`;
const unlessReopening = (own: SQL) => sql`case when not ${isReopening} then ${own} end`;
const reopeningPublicNumber = sql`
  ${row.publicCursor} - case when ${row.visibility} = 'PUBLIC' then 1 else 0 end`;
const newEvents = writing(
  'new_events',
  insertFrom(
    events,
    {
      ...eventOfMessage,
      number: sql`${row.eventNumber} - case when ${isReopening} then 1 else 0 end`,
      publicNumber: sql`
        case when ${isReopening} then ${reopeningPublicNumber} else ${row.publicNumber} end`,
      type: sql`case when ${isReopening} then 'TICKET_REOPENED' else 'MESSAGE_ADDED' end`,
      visibility: sql`case when ${isReopening} then 'PUBLIC' else ${row.visibility} end`,
      messageId: unlessReopening(row.messageId),
      deliveryId: unlessReopening(row.deliveryId),
    },
    sql`${accepted} cross join lateral (
      select true as "isReopening" where ${row.reopens} union all select false
    ) reopening order by ${row.ticketId}, ${row.eventNumber}, ${isReopening} desc`,
  ),
);
const newAuditEntries = writing(
  'new_audit_entries',
  insertFrom(
    auditEntries,
    { actorId: row.viewerId, action: sql`'TICKET_REOPENED'`, ticketId: row.ticketId },
    sql`${accepted} where ${row.reopens}`,
  ),
);

const latest = reading(
  'latest',
  {
    ticketId: row.ticketId,
    lastMessageId: sql`max(${row.messageId})`,
    lastPublicMessageId: sql`max(${row.messageId}) filter (where ${row.visibility} = 'PUBLIC')`,
    messageCount: sql`max(${row.newCount})`,
    publicMessageCount: sql`max(${row.newPublicCount})`,
    lastEventNumber: sql`max(${row.eventNumber})`,
    lastPublicEventNumber: sql`max(${row.publicCursor})`,
    activeAt: sql`max(${row.at})`,
    publicActiveAt: sql`max(${row.at}) filter (where ${row.visibility} = 'PUBLIC')`,
    isReopened: sql`bool_or(${row.reopens})`,
  },
  sql`from ${accepted} group by ${row.ticketId}`,
);
const {
  ticketId: changedTicketId,
  isReopened,
  lastPublicMessageId,
  publicActiveAt,
  ...settled
} = latest.columns;
const totals = {
  ...settled,
  lastPublicMessageId: sql`coalesce(${lastPublicMessageId}, ${tickets.lastPublicMessageId})`,
  publicActiveAt: sql`coalesce(${publicActiveAt}, ${tickets.publicActiveAt})`,
};
const touch = (changes: Changes<typeof tickets>) =>
  writing(
    'touched',
    sql`update ${tickets} set ${assign(tickets, changes)}
      from ${latest} where ${tickets.id} = ${changedTicketId}`,
  );
const touchedPlain = touch(totals);
const touched = touch({
  ...totals,
  status: sql`case when ${isReopened} then 'OPEN' else ${tickets.status} end`,
});

/** One NOTIFY per group, because NOTIFY takes a cluster-wide lock at commit. */
const wakings = {
  events: sql`pg_notify(${literal(eventsChannel)}, string_agg(distinct ${row.ticketId}::text, ','))`,
  outbox: sql`case when count(${row.deliveryId}) > 0 then pg_notify(${literal(outboxChannel)}, '') end`,
};
const anyAccepted = sql`from ${accepted} having count(*) > 0`;
const wokenPlain = reading('woken', { ...wakings, scans: sql`null` }, anyAccepted);
export const woken = reading(
  'woken',
  {
    ...wakings,
    scans: sql`case when exists (select from ${files} where ${file.scan} is not null)
      then pg_notify(${literal(scansChannel)}, '') end`,
  },
  anyAccepted,
);

const [always, ofFiles] = [
  [newMessages, newDeliveries, newRecipients, latest],
  [files, newBlobs, newAttachments],
];
/** All steps that write, in order: for a group of plain rows, and for any group. */
export const writesPlain = [...always, newEventsPlain, touchedPlain, wokenPlain];
export const writes = [...always, ...ofFiles, newEvents, newAuditEntries, touched, woken];
