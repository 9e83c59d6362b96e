import { and, desc, eq, sql } from 'drizzle-orm';
import { attachments, messages, tickets, users } from '../../db/tables.ts';
import { newTicket } from '../../import/record.ts';
import { ticketsWith } from '../../tickets/read/search-text.ts';
import { auditEntry } from '../audit-entry.ts';
import { type Command, checked, one, wholeNumber } from '../command.ts';
import { findTicket, findUser } from '../find-by-name.ts';
import { fields, printable, rows } from '../output.ts';

const add: Command = {
  name: 'ticket add',
  arguments: [],
  summary: 'Open a ticket',
  options: {
    subject: { type: 'string', value: 'TEXT', required: true, help: 'subject of the ticket' },
    requester: { type: 'string', value: 'LOGIN', required: true, help: 'login of the requester' },
    reference: { type: 'string', value: 'REF', help: 'reference (default: INC- and the id in six digits)' },
    'original-message-id': {
      type: 'string',
      value: 'ID',
      help: 'Message-ID of the mail that opened it, <…@…>; the first reply refers to it',
    },
  },
  example: 'ticket add --subject "My printer is on fire" --requester jane',
  async run({ db }, _args, values) {
    return db.transaction(async (tx) => {
      const requester = await findUser(tx, one(values, 'requester')!);
      const [drawn] = await tx.execute<{ id: number }>(sql`select nextval('tickets_id_seq')::int as id`);
      const id = drawn!.id;
      const ticket = checked(newTicket, {
        reference: one(values, 'reference') ?? `INC-${String(id).padStart(6, '0')}`,
        subject: one(values, 'subject'),
        originalMessageId: one(values, 'original-message-id') ?? null,
      });
      await tx.insert(tickets).values({ id, ...ticket, requesterId: requester.id });
      await tx.execute(auditEntry('TICKET_ADDED', {}, id));
      return fields({ id, ...ticket, requester: requester.login, status: 'OPEN' });
    });
  },
};

const list: Command = {
  name: 'ticket list',
  arguments: [],
  summary: 'List tickets, newest first',
  options: {
    text: {
      type: 'string',
      value: 'TEXT',
      help: "words of the subject, or the beginning of the reference or the requester's address",
    },
    requester: { type: 'string', value: 'LOGIN', help: 'only tickets of this requester' },
    limit: { type: 'string', value: 'N', help: 'maximum number of tickets (default 50)' },
  },
  example: 'ticket list --text "printer fire" --limit 10',
  async run({ db }, _args, values) {
    const text = one(values, 'text');
    const login = one(values, 'requester');
    const requester = login === undefined ? undefined : await findUser(db, login);
    const found = await db
      .select({
        id: tickets.id,
        reference: tickets.reference,
        subject: tickets.subject,
        status: tickets.status,
        requester: users.login,
        messages: tickets.messageCount,
        createdAt: tickets.createdAt,
      })
      .from(tickets)
      .innerJoin(users, eq(users.id, tickets.requesterId))
      .where(
        and(
          requester === undefined ? undefined : eq(tickets.requesterId, requester.id),
          text === undefined ? undefined : sql`${tickets.id} = any (array(${ticketsWith(sql`${text}`)}))`,
        ),
      )
      .orderBy(desc(tickets.id))
      .limit(wholeNumber(one(values, 'limit') ?? '50', '--limit'));
    return rows(found, ['id', 'reference', 'status', 'requester', 'messages', 'subject']);
  },
};

const filesOf = sql<{ id: number; fileName: string }[]>`(
  select coalesce(json_agg(json_build_object('id', ${attachments.id}, 'fileName', ${attachments.fileName})
    order by ${attachments.position}), '[]')
  from ${attachments} where ${attachments.messageId} = ${messages.id})`;

const show: Command = {
  name: 'ticket show',
  arguments: ['TICKET'],
  summary: 'Show a ticket with its messages, including private ones',
  details: 'TICKET is a reference or an id.',
  options: { limit: { type: 'string', value: 'N', help: 'maximum number of messages (default 50)' } },
  async run({ db }, [name], values) {
    const ticket = await findTicket(db, name!);
    const [requester] = await db
      .select({ login: users.login })
      .from(users)
      .where(eq(users.id, ticket.requesterId));
    const latest = await db
      .select({
        id: messages.id,
        author: users.login,
        visibility: messages.visibility,
        format: messages.format,
        createdAt: messages.createdAt,
        redactedAt: messages.redactedAt,
        body: messages.body,
        attachments: filesOf,
      })
      .from(messages)
      .innerJoin(users, eq(users.id, messages.authorId))
      .where(eq(messages.ticketId, ticket.id))
      .orderBy(desc(messages.id))
      .limit(wholeNumber(one(values, 'limit') ?? '50', '--limit'));
    const { id, reference, subject, status, messageCount, createdAt } = ticket;
    const head = fields({
      id,
      reference,
      subject,
      status,
      requester: requester!.login,
      messageCount,
      createdAt,
    });
    const shown = latest.reverse();
    const text = shown.map((message) => {
      const files = message.attachments.map((file) => `\n[#${file.id} ${printable(file.fileName)}]`).join('');
      const { author, visibility: who, createdAt: at } = message;
      const title = [`#${message.id}`, printable(author), who, at.toISOString()].join('  ');
      return `\n${title}\n${printable(message.body, true)}${files}`;
    });
    return { json: { ...(head.json as object), messages: shown }, text: [head.text, ...text].join('\n') };
  },
  example: 'ticket show INC-000047',
};

/**
 * The commands `ticket add`, `ticket list` (newest first) and `ticket show` (with its newest messages,
 * private ones included). They use the database directly; `ticket close` and `ticket open` call a gateway.
 */
export const ticketCommands: readonly Command[] = [add, list, show];
