import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { assign, insertFrom } from '../../../db/insert-from.ts';
import { eventsChannel, outboxChannel, scansChannel } from '../../../db/notify-channels.ts';
import { literal, minuteOf, reading, writing } from '../../../db/statement-parts.ts';
import { auditEntries, events, tickets } from '../../../db/tables.ts';
import { accepted } from './accept-rows.ts';
import { file, files } from './insert-rows.ts';

/* Steps that update the tickets, write their events, and notify watchers, workers and the scanner. */

const row = accepted.columns;

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
    // Rounded to milliseconds as the columns are, because its minute is compared with that of a stored time.
    activeAt: sql`max(${row.at}::timestamptz(3))`,
    publicActiveAt: sql`max(${row.at}::timestamptz(3)) filter (where ${row.visibility} = 'PUBLIC')`,
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

/** Whether a ticket's last message is in the same minute as the one before. */
const isInMinute = (before: SQLWrapper, last: SQLWrapper) => sql`${minuteOf(before)} = ${minuteOf(last)}`;
const listedAt = (before: SQLWrapper, last: SQLWrapper) =>
  sql`case when ${isInMinute(before, last)} then ${minuteOf(last)} else ${last} end`;
const unlessPrivate = (changed: SQL, kept: SQLWrapper) =>
  sql`case when ${publicActiveAt} is null then ${kept} else ${changed} end`;

const totals = {
  ...settled,
  listedAt: listedAt(tickets.activeAt, settled.activeAt),
  isListedByMinute: isInMinute(tickets.activeAt, settled.activeAt),
  lastPublicMessageId: sql`coalesce(${lastPublicMessageId}, ${tickets.lastPublicMessageId})`,
  publicActiveAt: sql`coalesce(${publicActiveAt}, ${tickets.publicActiveAt})`,
  publicListedAt: unlessPrivate(listedAt(tickets.publicActiveAt, publicActiveAt), tickets.publicListedAt),
  isPublicListedByMinute: unlessPrivate(
    isInMinute(tickets.publicActiveAt, publicActiveAt),
    tickets.isPublicListedByMinute,
  ),
};
const touch = (changes: SQL) =>
  writing(
    'touched',
    sql`update ${tickets} set ${changes} from ${latest} where ${tickets.id} = ${changedTicketId}`,
  );
const touchedPlain = touch(assign(tickets, totals));
const status = sql`case when ${isReopened} then 'OPEN' else ${tickets.status} end`;
const touched = touch(assign(tickets, { ...totals, status }));

/** One NOTIFY per group, because NOTIFY takes a cluster-wide lock at commit. */
const wakings = {
  events: sql`pg_notify(${literal(eventsChannel)}, string_agg(distinct ${row.ticketId}::text, ','))`,
  outbox: sql`case when count(${row.deliveryId}) > 0 then pg_notify(${literal(outboxChannel)}, '') end`,
};
const anyAccepted = sql`from ${accepted} having count(*) > 0`;
const wokenPlain = reading('woken', { ...wakings, scans: sql`null` }, anyAccepted);
/**
 * Step that notifies the processes when the statement commits: watchers of the group's tickets, workers if
 * the group has a mail, and the scanner if a file awaits its scan. PostgreSQL runs this step only if a later
 * step or the final select reads from it. The step itself reads from `files`.
 */
export const woken = reading(
  'woken',
  {
    ...wakings,
    scans: sql`case when exists (select from ${files} where ${file.scan} is not null)
      then pg_notify(${literal(scansChannel)}, '') end`,
  },
  anyAccepted,
);

/**
 * Steps for a group of plain rows, in the order of `with`, after the step `accepted`: insert the events,
 * update the counts, times and last numbers of the tickets, and notify watchers and workers.
 */
export const ticketWritesPlain = [newEventsPlain, latest, touchedPlain, wokenPlain];
/**
 * The same for any group, after the steps `accepted` and `files`. A message that reopens its ticket also sets
 * the ticket's status to OPEN, writes an audit entry, and writes the event TICKET_REOPENED before the
 * message's own event. `woken` is the last step.
 */
export const ticketWrites = [newEvents, newAuditEntries, latest, touched, woken];
