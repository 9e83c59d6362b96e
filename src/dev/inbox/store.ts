import { and, desc, eq, gt, isNull, lt, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import { inboxMails, type MailSummary } from '../../db/tables.ts';
import { type MailContent, readMail, summarise } from './parse-mail.ts';
import { type InboxRecipient, recipientsOf } from './recipients.ts';
import type { ReceivedMail } from './smtp/session.ts';

/** A mail in the list. Its size is that of its source. */
export interface InboxEntry extends MailSummary {
  readonly id: number;
  readonly receivedAt: Date;
  readonly byteSize: number;
  readonly isUnread: boolean;
  /** The beginning of the text, on one line: 160 characters at most. */
  readonly snippet: string;
}

/** A whole mail. */
export interface InboxMail extends MailContent {
  readonly id: number;
  readonly receivedAt: Date;
  readonly byteSize: number;
  /** The mail as it was received. */
  readonly source: Buffer;
  readonly isUnread: boolean;
  /** The SMTP envelope, which includes Bcc recipients. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly recipients: readonly InboxRecipient[];
}

/** One page of the list. */
export interface InboxPage {
  /** Newest first. */
  readonly mails: readonly InboxEntry[];
  /** Whether there are older mails beyond this page. */
  readonly hasMore: boolean;
  /** Number of unread mails in the whole inbox, regardless of the search. */
  readonly unread: number;
}

const maxPage = 200;
const snippetCharacters = 160;

/** Stores an accepted mail as one row, whatever its number of recipients. Commits before it resolves. */
export async function addInboxMail(db: Db, { mailFrom, rcptTo, source }: ReceivedMail): Promise<void> {
  const read = await summarise(source);
  await db.insert(inboxMails).values({ mailFrom, rcptTo: [...rcptTo], source, ...read });
}

/** Which mails are listed. */
export interface InboxQuery {
  /** Id of the last mail of the previous page: only older ones, with lower ids. */
  readonly before?: number | undefined;
  /** Id of a mail: only later ones, with higher ids. */
  readonly after?: number | undefined;
  /** Maximum number of mails on the page, from 1 to 200; other numbers become the nearest of these. */
  readonly first: number;
  /**
   * Words that must all occur in addresses, subject or text, in any case and also within a word; only the
   * first ten count. Blank: all mails.
   */
  readonly search?: string | undefined;
}

/** Lists one page of the mails that the query asks for, newest first. Does not mark them as read. */
export async function listInboxMails(db: Db, query: InboxQuery): Promise<InboxPage> {
  const { before, after, first, search = '' } = query;
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
    .where(
      and(
        before === undefined ? undefined : lt(inboxMails.id, before),
        after === undefined ? undefined : gt(inboxMails.id, after),
        ...matching(search),
      ),
    )
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

const oneLine = (text: string): string =>
  text.replace(/\s+/g, ' ').trim().slice(0, snippetCharacters).toWellFormed();

/**
 * Uses `position` instead of `like`, so that % and _ are literal. The database folds both sides, as its lower
 * case is not JavaScript's for `İ` and a final `Σ`.
 */
function matching(search: string): SQL[] {
  const words = search.toWellFormed().split(/\s+/).filter(Boolean);
  const { summary } = inboxMails;
  const searched = sql`lower(concat_ws(' ',
    ${inboxMails.mailFrom}, array_to_string(${inboxMails.rcptTo}, ' '),
    ${summary}->>'from', ${summary}->>'to', ${summary}->>'cc', ${summary}->>'subject',
    ${inboxMails.bodyText}))`;
  return words.slice(0, 10).map((word) => sql`position(lower(${word}::text) in ${searched}) > 0`);
}

/** Reads and parses a mail; undefined if there is none. Does not mark it as read. */
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

/** Marks a mail as read, if it exists and is not marked yet. */
export async function markRead(db: Db, id: number): Promise<void> {
  await db
    .update(inboxMails)
    .set({ readAt: sql`clock_timestamp()` })
    .where(and(eq(inboxMails.id, id), isNull(inboxMails.readAt)));
}

/**
 * Deletes one mail, the mails that a search finds (see InboxQuery), or all.
 * @param which the mail's id, or the search; all mails if there is neither, or the search is blank
 * @returns the number of deleted mails
 */
export async function deleteInboxMails(
  db: Db,
  { id, search = '' }: { readonly id?: number | undefined; readonly search?: string } = {},
): Promise<number> {
  const gone = await db
    .delete(inboxMails)
    .where(and(id === undefined ? undefined : eq(inboxMails.id, id), ...matching(search)))
    .returning({ id: inboxMails.id });
  return gone.length;
}
