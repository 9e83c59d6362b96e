import { and, desc, eq, gte, sql } from 'drizzle-orm';
import { auditEntries, tickets, users } from '../../db/tables.ts';
import { parseStorableInstant } from '../../platform/instants.ts';
import { type Command, one, UsageError, wholeNumber } from '../command.ts';
import { findTicket, findUser } from '../find-by-name.ts';
import { rows } from '../output.ts';

function instantOf(text: string): Date {
  // A date is its beginning in UTC, and seconds may be left out.
  const whole = text.replace(/^[\d-]{10}$/, '$&T00:00:00Z').replace(/(T\d\d:\d\d)(?=Z|[+-])/i, '$1:00');
  const at = parseStorableInstant(whole);
  if (at === undefined)
    throw new UsageError(`--since must be a date or a time such as 2026-11-28T09:00Z, not ${text}`);
  return at;
}

const list: Command = {
  name: 'audit',
  arguments: [],
  summary: 'List audited actions, the latest first',
  details: [
    'Covers users, tokens, mailboxes, redactions, deliveries and tickets.',
    'Actions taken from the command line have no user.',
  ].join('\n'),
  options: {
    user: { type: 'string', value: 'LOGIN', help: 'only actions by this user' },
    ticket: { type: 'string', value: 'TICKET', help: 'only on this ticket' },
    action: { type: 'string', value: 'ACTION', help: 'only this action: MESSAGE_REDACTED …' },
    since: { type: 'string', value: 'INSTANT', help: 'not before: 2026-11-28, or 2026-11-28T09:00Z' },
    limit: { type: 'string', value: 'N', help: 'maximum number of rows (default 50)' },
  },
  example: 'audit --action MESSAGE_REDACTED --since 2026-11-01',
  async run({ db }, _args, values) {
    const [login, name, action, since] = ['user', 'ticket', 'action', 'since'].map((key) => one(values, key));
    const limit = wholeNumber(one(values, 'limit') ?? '50', '--limit');
    const from = since === undefined ? undefined : instantOf(since);
    const user = login === undefined ? undefined : await findUser(db, login);
    const ticket = name === undefined ? undefined : await findTicket(db, name);
    const found = await db
      .select({
        id: auditEntries.id,
        at: auditEntries.createdAt,
        user: users.login,
        action: auditEntries.action,
        ticket: tickets.reference,
        messageId: auditEntries.messageId,
        deliveryId: auditEntries.deliveryId,
        details: sql<string>`${auditEntries.details}::text`,
      })
      .from(auditEntries)
      .leftJoin(users, eq(users.id, auditEntries.actorId))
      .leftJoin(tickets, eq(tickets.id, auditEntries.ticketId))
      .where(
        and(
          user && eq(auditEntries.actorId, user.id),
          ticket && eq(auditEntries.ticketId, ticket.id),
          action === undefined
            ? undefined
            : eq(auditEntries.action, action.toUpperCase().replace(/[\s-]+/g, '_')),
          from && gte(auditEntries.createdAt, from),
        ),
      )
      .orderBy(desc(auditEntries.id))
      .limit(limit);
    const columns = ['at', 'user', 'action', 'ticket', 'messageId', 'deliveryId', 'details'];
    return {
      ...rows(found, columns),
      json: found.map((entry) => ({ ...entry, details: JSON.parse(entry.details) })),
    };
  },
};

/**
 * The command `audit`: lists audited actions, the latest first and 50 by default. Options filter by user,
 * ticket, action and time.
 */
export const auditCommands: readonly Command[] = [list];
