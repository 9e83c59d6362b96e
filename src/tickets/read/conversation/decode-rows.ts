import type { TextRow } from '../../../db/run-statement.ts';
import type { Delivery, Recipient } from '../../deliveries/load-deliveries.ts';
import type { Attachment } from '../attachments.ts';
import type { Message } from '../load-messages.ts';
import type { Person } from '../people-and-mailboxes.ts';
import type { TicketWithRequester } from '../tickets.ts';
import type { Reading } from './statement.ts';

/*
 * The objects are plain literals, one for each kind of row: a page has two hundred of them, and one that is
 * filled key by key takes three times as long.
 */

/** A message with its author, so that a page needs no query for each message. */
export interface PageMessage extends Message {
  readonly author: Person;
  /** Undefined if they were not read. */
  readonly attachments: readonly Attachment[] | undefined;
  /** Null if there is none; undefined if it was not read. */
  readonly delivery: Delivery | null | undefined;
}

/** What a statement of statement.ts found, in no order. */
export interface Conversation {
  readonly tickets: TicketWithRequester[];
  readonly messages: PageMessage[];
}

/** The first column's words, and the row. */
type Row = readonly [words: readonly string[], texts: TextRow];

/** Reads the rows of a statement. */
export function decodeRows(rows: readonly TextRow[], { files, mails }: Reading): Conversation {
  const found: Record<string, Row[]> = { T: [], P: [], M: [], A: [], D: [], R: [] };
  for (const row of rows) {
    const words = row[0]!.split(' ');
    found[words[0]!]!.push([words, row]);
  }
  const people = new Map(found.P!.map((row) => [row[0][1]!, personOf(row)]));
  const filesOf = grouped(found.A!, fileOf);
  const recipientsOf = grouped(found.R!, recipientOf);
  const mailOf = new Map(found.D!.map((row) => [row[0][1]!, row]));
  const related = (id: string, ticketId: number): Pick<PageMessage, 'attachments' | 'delivery'> => {
    const mail = mailOf.get(id);
    const delivery =
      mail === undefined ? null : deliveryOf(mail, ticketId, recipientsOf.get(mail[0][2]!) ?? []);
    return {
      attachments: files ? (filesOf.get(id) ?? []) : undefined,
      delivery: mails ? delivery : undefined,
    };
  };
  return {
    tickets: found.T!.map((row) => ticketOf(row, people.get(row[0][3]!)!)),
    messages: found.M!.map((row) =>
      messageOf(row, people.get(row[0][3]!)!, related(row[0][1]!, Number(row[0][2]))),
    ),
  };
}

/** Groups rows by the id in their first word, by position. */
function grouped<V extends { readonly position: number }>(
  rows: readonly Row[],
  of: (row: Row) => V,
): Map<string, V[]> {
  const found = new Map<string, V[]>();
  for (const row of rows) {
    const siblings = found.get(row[0][1]!);
    if (siblings === undefined) found.set(row[0][1]!, [of(row)]);
    else siblings.push(of(row));
  }
  for (const siblings of found.values())
    if (siblings.length > 1) siblings.sort((a, b) => a.position - b.position);
  return found;
}

const instant = (text: string | undefined): Date => new Date(Number(text));
const numberOrNull = (word: string | undefined): number | null => (word === '-' ? null : Number(word));
const instantOrNull = (word: string | undefined): Date | null => (word === '-' ? null : instant(word));

const ticketOf = ([words, texts]: Row, requester: Person): TicketWithRequester => ({
  id: Number(words[1]),
  reference: texts[1]!,
  subject: texts[2]!,
  status: words[2] as TicketWithRequester['status'],
  requesterId: requester.id,
  createdAt: instant(words[4]),
  messageCount: Number(words[5]),
  lastMessageId: numberOrNull(words[6]),
  activeAt: instant(words[7]),
  cursor: Number(words[8]),
  requester,
});

const personOf = ([words, texts]: Row): Person => ({
  id: Number(words[1]),
  name: texts[1]!,
  role: words[2] as Person['role'],
  email: texts[2]!,
});

const messageOf = (
  [words, texts]: Row,
  author: Person,
  { attachments, delivery }: Pick<PageMessage, 'attachments' | 'delivery'>,
): PageMessage => ({
  id: Number(words[1]),
  ticketId: Number(words[2]),
  authorId: author.id,
  body: texts[1]!,
  format: words[4] as Message['format'],
  visibility: words[5] as Message['visibility'],
  isMobileDevice: words[6] === 't',
  language: texts[2]!,
  createdAt: instant(words[7]),
  redactedAt: instantOrNull(words[8]),
  bodyBytes: Number(words[9]),
  author,
  attachments,
  delivery,
});

const fileOf = ([words, texts]: Row): Attachment => ({
  messageId: Number(words[1]),
  id: Number(words[2]),
  position: Number(words[3]),
  byteSize: Number(words[4]),
  isInline: words[5] === 't',
  scan: words[6] === '-' ? null : (words[6] as Attachment['scan']),
  sha256: Buffer.from(words[7]!, 'hex'),
  fileName: texts[1]!,
  contentType: texts[2]!,
  contentId: texts[3]!,
  blobKey: texts[4]!,
});

const deliveryOf = ([words, texts]: Row, ticketId: number, recipients: readonly Recipient[]): Delivery => ({
  id: Number(words[2]),
  messageId: Number(words[1]),
  ticketId,
  state: words[3] as Delivery['state'],
  attempts: Number(words[4]),
  dueAt: instant(words[5]),
  createdAt: instant(words[6]),
  settledAt: instantOrNull(words[7]),
  fromAddress: texts[1]!,
  fromName: texts[2]!,
  subject: texts[3]!,
  rfcMessageId: texts[4]!,
  failure: texts[5]!,
  recipients,
});

const recipientOf = ([words, texts]: Row): Recipient => ({
  position: Number(words[2]),
  kind: words[3] as Recipient['kind'],
  state: words[4] as Recipient['state'],
  address: texts[1]!,
  name: texts[2]!,
  smtpReply: texts[3]!,
  enhancedCode: texts[4]!,
});
