import { and, desc, eq, isNull, lt, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import { inboxMails, type MailSummary } from '../../db/tables.ts';
import { type MailContent, readMail, summarise } from './parse-mail.ts';
import { type InboxRecipient, recipientsOf } from './recipients.ts';
import type { HandedMail } from './smtp/dialogue.ts';

export interface InboxEntry extends MailSummary {
  readonly id: number;
  readonly receivedAt: Date;
  readonly byteSize: number;
  readonly isUnread: boolean;
  /** The first words of its text, on one line. */
  readonly snippet: string;
}

export interface InboxMail extends MailContent {
  readonly id: number;
  readonly receivedAt: Date;
  readonly byteSize: number;
  readonly source: Buffer;
  readonly isUnread: boolean;
  /** As SMTP was told, blind copies included. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly recipients: readonly InboxRecipient[];
}

export interface InboxPage {
  /** Newest first. */
  readonly mails: readonly InboxEntry[];
  readonly hasMore: boolean;
  /** Of all mails, whatever is searched for. */
  readonly unread: number;
}

const maxPage = 200;
const snippetCharacters = 160;

/** One row for one mail that was taken, however many recipients it has; committed when this resolves. */
export async function addInboxMail(db: Db, { mailFrom, rcptTo, source }: HandedMail): Promise<void> {
  const read = await summarise(source);
  await db.insert(inboxMails).values({ mailFrom, rcptTo: [...rcptTo], source, ...read });
}

export interface InboxQuery {
  /** Id of the last mail of the page before. */
  readonly before?: number | undefined;
  readonly first: number;
  /** Words of which each has to be somewhere in addresses, subject or text. */
  readonly search?: string | undefined;
}

export async function listInboxMails(db: Db, { before, first, search = '' }: InboxQuery): Promise<InboxPage> {
  const limit = Math.max(1, Math.min(first, maxPage));
  const rows = await db
    .select({
      id: inboxMails.id,
      receivedAt: inboxMails.receivedAt,
      byteSize: sql<number>`octet_length(${inboxMails.source})`,
      isUnread: sql<boolean>`${inboxMails.readAt} is null`,
      snippet: sql<string>`left(${inboxMails.bodyText}, ${4 * snippetCharacters}::int)`,
      summary: inboxMails.summary,
    })
    .from(inboxMails)
    .where(and(before === undefined ? undefined : lt(inboxMails.id, before), ...matching(search)))
    .orderBy(desc(inboxMails.id))
    .limit(limit + 1);
  return {
    mails: rows
      .slice(0, limit)
      .map(({ summary, snippet, ...row }) => ({ ...row, ...summary, snippet: oneLine(snippet) })),
    hasMore: rows.length > limit,
    unread: await db.$count(inboxMails, isNull(inboxMails.readAt)),
  };
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, snippetCharacters);

/** Without patterns: a per cent sign that is searched for is a per cent sign. */
function matching(search: string): SQL[] {
  const words = search.toLowerCase().replaceAll('\0', '').toWellFormed().split(/\s+/).filter(Boolean);
  const { summary } = inboxMails;
  const searched = sql`lower(concat_ws(' ', ${inboxMails.mailFrom}, array_to_string(${inboxMails.rcptTo}, ' '),
    ${summary}->>'from', ${summary}->>'to', ${summary}->>'cc', ${summary}->>'subject', ${inboxMails.bodyText}))`;
  return words.slice(0, 10).map((word) => sql`position(${word}::text in ${searched}) > 0`);
}

export async function findInboxMail(db: Db, id: number): Promise<InboxMail | undefined> {
  const [row] = await db.select().from(inboxMails).where(eq(inboxMails.id, id));
  if (row === undefined) return undefined;
  const { receivedAt, source, mailFrom, rcptTo, readAt } = row;
  const content = await readMail(source);
  return {
    ...{ id, receivedAt, source, byteSize: source.byteLength, isUnread: readAt === null, ...content },
    envelope: { from: mailFrom, to: rcptTo },
    recipients: await recipientsOf(db, { ...content, rcptTo }),
  };
}

/** Somebody has opened it. */
export async function markRead(db: Db, id: number): Promise<void> {
  await db
    .update(inboxMails)
    .set({ readAt: sql`clock_timestamp()` })
    .where(and(eq(inboxMails.id, id), isNull(inboxMails.readAt)));
}

/** @param id absent: all of them. @returns how many went */
export async function deleteInboxMails(db: Db, id?: number): Promise<number> {
  const gone = await db
    .delete(inboxMails)
    .where(id === undefined ? undefined : eq(inboxMails.id, id))
    .returning({ id: inboxMails.id });
  return gone.length;
}
