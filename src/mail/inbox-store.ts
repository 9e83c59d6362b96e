import { desc, eq, lt, sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { inboxMails, type MailSummary } from '../db/tables.ts';
import { type MailContent, readMail, summarise } from './inbox-mail.ts';

export interface InboxEntry extends MailSummary {
  readonly id: number;
  readonly receivedAt: Date;
  readonly byteSize: number;
}

export interface InboxMail extends MailContent {
  readonly id: number;
  readonly receivedAt: Date;
  readonly byteSize: number;
  readonly source: Buffer;
}

export interface InboxPage {
  /** Newest first. */
  readonly mails: readonly InboxEntry[];
  readonly hasMore: boolean;
}

const maxPage = 200;

/** One row for one mail that was taken, however many recipients it has; committed when this resolves. */
export async function addInboxMail(
  db: Db,
  mail: { mailFrom: string; rcptTo: readonly string[]; source: Buffer },
): Promise<void> {
  const { mailFrom, rcptTo, source } = mail;
  const summary = await summarise(source);
  await db.insert(inboxMails).values({ mailFrom, rcptTo: [...rcptTo], source, summary });
}

/** @param before id of the last mail of the page before. */
export async function listInboxMails(
  db: Db,
  { before, first }: { before?: number | undefined; first: number },
): Promise<InboxPage> {
  const limit = Math.max(1, Math.min(first, maxPage));
  const rows = await db
    .select({
      id: inboxMails.id,
      receivedAt: inboxMails.receivedAt,
      byteSize: sql<number>`octet_length(${inboxMails.source})`,
      summary: inboxMails.summary,
    })
    .from(inboxMails)
    .where(before === undefined ? undefined : lt(inboxMails.id, before))
    .orderBy(desc(inboxMails.id))
    .limit(limit + 1);
  return {
    mails: rows.slice(0, limit).map(({ summary, ...row }) => ({ ...row, ...summary })),
    hasMore: rows.length > limit,
  };
}

export async function findInboxMail(db: Db, id: number): Promise<InboxMail | undefined> {
  const [row] = await db
    .select({ receivedAt: inboxMails.receivedAt, source: inboxMails.source })
    .from(inboxMails)
    .where(eq(inboxMails.id, id));
  if (row === undefined) return undefined;
  return { id, ...row, byteSize: row.source.byteLength, ...(await readMail(row.source)) };
}
