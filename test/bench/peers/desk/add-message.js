import { createHash, randomUUID } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import {
  deliveries,
  deliveryRecipients,
  events,
  idempotencyKeys,
  mailboxes,
  mailboxGrants,
  messages,
  tickets,
  users,
} from '../../../../src/db/tables.ts';
import { db } from './database.js';

const refused = (code, message, path = []) => ({ __typename: 'Refused', code, message, path });

/**
 * The transaction as one writes it with Drizzle: lock the ticket, check, insert row by row, count, commit.
 */
export async function addTicketMessage(viewer, given) {
  const input = {
    ...{ format: 'TEXT', visibility: 'PUBLIC', isMobileDevice: false },
    ...given,
    email: given.email && { cc: [], bcc: [], ...given.email },
  };
  if (!viewer) return refused('UNAUTHENTICATED', 'Sign in first');
  if (input.body.trim() === '') return refused('INVALID_INPUT', 'The body is blank', ['body']);
  if (input.email && input.visibility === 'PRIVATE')
    return refused('PRIVATE_WITH_EMAIL', 'Private messages are not mailed');
  const problem =
    input.email &&
    [...input.email.cc, ...input.email.bcc].find((address) => !/^[^@\s]+@[^@\s]+$/.test(address));
  if (problem) return refused('INVALID_INPUT', `${problem} is no address`, ['email']);
  const fingerprint = createHash('sha256')
    .update(JSON.stringify({ ...input, idempotencyKey: undefined }))
    .digest();
  try {
    return await db.transaction((tx) => write(tx, viewer, input, fingerprint));
  } catch (error) {
    if (error instanceof KeyTaken) return replay(viewer, input, fingerprint);
    throw error;
  }
}

class KeyTaken extends Error {}

async function write(tx, viewer, input, fingerprint) {
  const [found] = await tx
    .select({ ticket: tickets, requester: users })
    .from(tickets)
    .innerJoin(users, eq(users.id, tickets.requesterId))
    .where(selected(input.ticket))
    .for('no key update', { of: tickets });
  const isOperator = viewer.role === 'OPERATOR';
  if (!found || !(isOperator || found.ticket.requesterId === viewer.id))
    return refused('TICKET_NOT_FOUND', 'There is no such ticket');
  if (!isOperator && (input.visibility === 'PRIVATE' || input.email))
    return refused('FORBIDDEN', 'Operators only');
  const { ticket, requester } = found;

  let mailbox;
  if (input.email) {
    [{ mailbox } = {}] = await tx
      .select({ mailbox: mailboxes })
      .from(mailboxes)
      .innerJoin(
        mailboxGrants,
        and(eq(mailboxGrants.mailboxId, mailboxes.id), eq(mailboxGrants.userId, viewer.id)),
      )
      .where(sql`lower(${mailboxes.address}) = lower(${input.email.from})`);
    if (!mailbox) return refused('MAILBOX_NOT_FOUND', 'There is no such mailbox', ['email', 'from']);
    if (mailbox.disabledAt || !mailbox.smtpUrl)
      return refused('MAILBOX_NOT_READY', 'The mailbox cannot send');
    if (!requester.email) return refused('RECIPIENT_MISSING', 'The requester has no address');
  }

  const [message] = await tx
    .insert(messages)
    .values({
      ticketId: ticket.id,
      authorId: viewer.id,
      body: input.body,
      format: input.format,
      visibility: input.visibility,
      isMobileDevice: input.isMobileDevice,
    })
    .returning();
  if (input.idempotencyKey) {
    const taken = await tx
      .insert(idempotencyKeys)
      .values({ userId: viewer.id, key: input.idempotencyKey, fingerprint, messageId: message.id })
      .onConflictDoNothing()
      .returning({ key: idempotencyKeys.key });
    if (taken.length === 0) throw new KeyTaken();
  }
  const delivery = mailbox && (await writeDelivery(tx, { input, ticket, requester, mailbox, message }));
  const counted = await count(tx, viewer, ticket, message, delivery);
  return {
    __typename: 'AddTicketMessagePayload',
    ticketMessage: { ...message, author: viewer, attachments: [], delivery },
    ticket: { ...ticket, ...counted, requester },
    delivery,
    replayed: false,
    cursor: String(isOperator ? counted.lastEventNumber : counted.lastPublicEventNumber),
  };
}

const selected = ({ id, ticketId, reference }) =>
  reference != null
    ? eq(sql`lower(${tickets.reference})`, reference.toLowerCase())
    : eq(tickets.id, ticketId ?? Number(Buffer.from(id, 'base64').toString().split(':')[1]));

async function writeDelivery(tx, { input, ticket, requester, mailbox, message }) {
  const [delivery] = await tx
    .insert(deliveries)
    .values({
      messageId: message.id,
      ticketId: ticket.id,
      mailboxId: mailbox.id,
      fromAddress: mailbox.address,
      fromName: mailbox.displayName,
      subject: `Re: ${ticket.subject} [${ticket.reference}]`,
      rfcMessageId: `<${randomUUID()}@${mailbox.address.split('@')[1]}>`,
      state: 'QUEUED',
    })
    .returning();
  const all = [
    { kind: 'TO', address: requester.email, name: requester.name },
    ...input.email.cc.map((address) => ({ kind: 'CC', address })),
    ...input.email.bcc.map((address) => ({ kind: 'BCC', address })),
  ];
  const recipients = await tx
    .insert(deliveryRecipients)
    .values(all.map((recipient, i) => ({ deliveryId: delivery.id, position: i + 1, ...recipient })))
    .returning();
  return { ...delivery, recipients };
}

async function count(tx, viewer, ticket, message, delivery) {
  const one = message.visibility === 'PUBLIC' ? 1 : 0;
  const counted = {
    lastMessageId: message.id,
    lastPublicMessageId: one ? message.id : ticket.lastPublicMessageId,
    messageCount: ticket.messageCount + 1,
    publicMessageCount: ticket.publicMessageCount + one,
    lastEventNumber: ticket.lastEventNumber + 1,
    lastPublicEventNumber: ticket.lastPublicEventNumber + one,
  };
  await tx.insert(events).values({
    ticketId: ticket.id,
    number: counted.lastEventNumber,
    publicNumber: one ? counted.lastPublicEventNumber : null,
    type: 'MESSAGE_ADDED',
    visibility: message.visibility,
    actorId: viewer.id,
    messageId: message.id,
    deliveryId: delivery?.id,
  });
  await tx.update(tickets).set(counted).where(eq(tickets.id, ticket.id));
  return counted;
}

async function replay(viewer, input, fingerprint) {
  const [first] = await db
    .select()
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.userId, viewer.id), eq(idempotencyKeys.key, input.idempotencyKey)));
  if (!first?.fingerprint.equals(fingerprint))
    return refused('IDEMPOTENCY_KEY_REUSED', 'The key was used for another input');
  const message = await db.query.messages.findFirst({
    where: eq(messages.id, first.messageId),
    with: { author: true, attachments: true, delivery: { with: { recipients: true } } },
  });
  const ticket = await db.query.tickets.findFirst({
    where: eq(tickets.id, message.ticketId),
    with: { requester: true },
  });
  return {
    __typename: 'AddTicketMessagePayload',
    ticketMessage: message,
    ticket,
    delivery: message.delivery,
    replayed: true,
    cursor: String(ticket.lastEventNumber),
  };
}
