import type { TextRow } from '../../../db/run-statement.ts';
import type { Delivery, Recipient } from '../../deliveries/load-deliveries.ts';
import type { Attachment } from '../attachments.ts';
import type { Message } from '../load-messages.ts';
import type { Person } from '../people-and-mailboxes.ts';
import type { Ticket } from '../tickets.ts';
import type { ConversationReads } from './statement.ts';
import { WordReader } from './word-reader.ts';

/** A message with its author, so that a page needs no query for each message. */
export interface PageMessage extends Message {
  readonly author: Person;
  /** Undefined if they were not read. */
  readonly attachments: readonly Attachment[] | undefined;
  /** Null if there is none; undefined if it was not read. */
  readonly delivery: Delivery | null | undefined;
}

/** A ticket with its requester and last message, if they were read. */
export interface PageTicket extends Ticket {
  /** Undefined if it was not read. */
  readonly requester: Person | undefined;
  /** Null if there is none; undefined if it was not read. */
  readonly lastMessage: PageMessage | null | undefined;
}

/** The result of a statement of statement.ts, in no order. */
export interface ConversationRows {
  readonly tickets: PageTicket[];
  readonly messages: PageMessage[];
}

/** What a row's first word begins with: ticket, person, message, attachment, delivery or recipient. */
type RowKind = 'T' | 'P' | 'M' | 'A' | 'D' | 'R';

/**
 * Makes objects of the rows of a statement. A message whose body was left out has null as its body.
 * @param files whether attachments were asked for. If not, `attachments` is undefined
 * @param mails whether deliveries were asked for. If not, `delivery` is undefined. For a requester it is null
 * @param lastMessages whether the messages are the tickets' last ones. If not, `lastMessage` is undefined
 */
export function decodeRows(
  rows: readonly TextRow[],
  {
    files,
    mails,
    lastMessages,
  }: Pick<ConversationReads, 'files' | 'mails'> & { readonly lastMessages: boolean },
): ConversationRows {
  const found: Record<RowKind, TextRow[]> = { T: [], P: [], M: [], A: [], D: [], R: [] };
  for (const row of rows) found[row[0]![0] as RowKind].push(row);
  const people = new Map(found.P.map(personOf).map((person) => [person.id, person]));
  const filesOf = grouped(found.A, fileOf);
  const recipientsOf = grouped(found.R, recipientOf);
  const mailOf = new Map<number, Delivery>();
  for (const row of found.D) {
    const mail = deliveryOf(row, recipientsOf);
    mailOf.set(mail.messageId, mail);
  }
  const messages = found.M.map((row) => {
    const id = words.begin(row[0]!).number();
    const attachments = files ? (filesOf.get(id) ?? []) : undefined;
    return messageOf(id, row, people, attachments, mails ? (mailOf.get(id) ?? null) : undefined);
  });
  const byId = lastMessages ? new Map(messages.map((message) => [message.id, message])) : undefined;
  return { tickets: found.T.map((row) => ticketOf(row, people, byId)), messages };
}

/** Groups rows by the id in their first word, by position. */
function grouped<V extends { readonly position: number }>(
  rows: readonly TextRow[],
  of: (row: TextRow) => V,
): Map<number, V[]> {
  const found = new Map<number, V[]>();
  for (const row of rows) {
    const parent = words.begin(row[0]!).number();
    const value = of(row);
    const siblings = found.get(parent);
    if (siblings === undefined) found.set(parent, [value]);
    else insert(siblings, value);
  }
  return found;
}

/** Inserts by position. Rows mostly come in that order, so sorting afterwards would cost more. */
function insert<V extends { readonly position: number }>(siblings: V[], value: V): void {
  let at = siblings.length;
  while (at > 0 && siblings[at - 1]!.position > value.position) at -= 1;
  siblings.splice(at, 0, value);
}

/*
 * The objects are read in the order of their words in statement.ts. They are plain literals, one for each
 * kind of row: a page has two hundred, and one that is filled key by key takes three times as long.
 */

const words = new WordReader();

function ticketOf(
  [head, reference, subject]: TextRow,
  people: ReadonlyMap<number, Person>,
  lastMessages: ReadonlyMap<number, PageMessage> | undefined,
): PageTicket {
  words.begin(head!);
  const ticket = {
    id: words.number(),
    requesterId: words.number(),
    status: words.word() as Ticket['status'],
    createdAt: words.instant(),
    messageCount: words.number(),
    lastMessageId: words.numberOrNull(),
    activeAt: words.instant(),
    cursor: words.number(),
    reference: reference!,
    subject: subject!,
    requester: undefined as PageTicket['requester'],
    lastMessage: undefined as PageTicket['lastMessage'],
  };
  ticket.requester = people.get(ticket.requesterId);
  if (lastMessages !== undefined) ticket.lastMessage = lastMessages.get(ticket.lastMessageId ?? 0) ?? null;
  return ticket;
}

const personOf = ([head, name, email]: TextRow): Person => ({
  id: words.begin(head!).number(),
  role: words.word() as Person['role'],
  name: name!,
  email: email!,
});

/** The caller has read the message's id from the same words. */
function messageOf(
  id: number,
  [, body, language]: TextRow,
  people: ReadonlyMap<number, Person>,
  attachments: PageMessage['attachments'],
  delivery: PageMessage['delivery'],
): PageMessage {
  const author = people.get(words.number())!;
  return {
    id,
    authorId: author.id,
    ticketId: words.number(),
    format: words.word() as Message['format'],
    visibility: words.word() as Message['visibility'],
    isMobileDevice: words.flag(),
    createdAt: words.instant(),
    redactedAt: words.instantOrNull(),
    bodyBytes: words.number(),
    body: body!,
    language: language!,
    author,
    attachments,
    delivery,
  };
}

/** Reads the message's id again, from the beginning of the words. */
const fileOf = ([head, fileName, contentType, contentId, blobKey, sha256]: TextRow): Attachment => ({
  messageId: words.begin(head!).number(),
  id: words.number(),
  position: words.number(),
  byteSize: words.number(),
  isInline: words.flag(),
  scan: words.wordOrNull() as Attachment['scan'],
  sha256: Buffer.from(sha256!, 'hex'),
  fileName: fileName!,
  contentType: contentType!,
  contentId: contentId!,
  blobKey: blobKey!,
});

function deliveryOf(
  [head, fromAddress, fromName, subject, rfcMessageId, failure]: TextRow,
  recipientsOf: ReadonlyMap<number, readonly Recipient[]>,
): Delivery {
  words.begin(head!);
  const id = words.number();
  return {
    id,
    messageId: words.number(),
    ticketId: words.number(),
    state: words.word() as Delivery['state'],
    attempts: words.number(),
    dueAt: words.instant(),
    createdAt: words.instant(),
    settledAt: words.instantOrNull(),
    fromAddress: fromAddress!,
    fromName: fromName!,
    subject: subject!,
    rfcMessageId: rfcMessageId!,
    failure: failure!,
    recipients: recipientsOf.get(id) ?? [],
  };
}

/** The caller has read the delivery's id from the same words. */
const recipientOf = ([, address, name, smtpReply, enhancedCode]: TextRow): Recipient => ({
  position: words.number(),
  kind: words.word() as Recipient['kind'],
  state: words.word() as Recipient['state'],
  address: address!,
  name: name!,
  smtpReply: smtpReply!,
  enhancedCode: enhancedCode!,
});
