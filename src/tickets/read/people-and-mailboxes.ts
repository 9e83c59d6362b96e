import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { mailboxes, mailboxGrants, users } from '../../db/tables.ts';
import type { Role, Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../context.ts';
import { isOperator, requireViewer } from '../permissions.ts';

/** A user, as shown with tickets and messages. */
export interface Person {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly email: string | null;
}

/**
 * The person's address if the viewer may see it, else null. Operators see every address, requesters only
 * their own.
 */
export const emailFor = (viewer: Viewer | undefined, { id, email }: Person): string | null =>
  viewer !== undefined && (isOperator(viewer) || viewer.userId === id) ? email : null;

const selectPeople = preparePerPool((db) =>
  db
    .select({ id: users.id, name: users.name, role: users.role, email: users.email })
    .from(users)
    .where(sql`${users.id} = any (${sql.placeholder('ids')}::int[])`)
    .prepare('load_people'),
);

/**
 * People by id, with their addresses, whoever the viewer is: nothing is checked. Callers pass the ids of
 * people on a visible message or ticket, and show addresses by `emailFor`. Unknown ids are missing.
 */
export async function loadPeople(ctx: TicketContext, ids: readonly number[]): Promise<Map<number, Person>> {
  const rows = await selectPeople(ctx.services.database.desk).execute({ ids });
  return new Map(rows.map((row) => [row.id, row]));
}

/** A mailbox that the desk sends from. */
export interface Mailbox {
  readonly id: number;
  readonly address: string;
  readonly displayName: string;
  /** Most bytes of one encoded mail, by the mailbox's setting. Its server may accept less. */
  readonly maxMailBytes: number;
  /** Whether it is enabled and has SMTP settings, its own or the installation's. */
  readonly isReady: boolean;
}

/**
 * Mailboxes that the viewer has been granted, ready or not, in the order of their ids. Requesters have none.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `read`
 */
export const listMailboxes = (ctx: TicketContext): Promise<Mailbox[]> => selectMailboxes(ctx, undefined);

/**
 * The mailboxes of `listMailboxes` with these ids, by id. Others are missing.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `read`
 */
export async function loadMailboxes(
  ctx: TicketContext,
  ids: readonly number[],
): Promise<Map<number, Mailbox>> {
  const rows = await selectMailboxes(ctx, inArray(mailboxes.id, [...ids]));
  return new Map(rows.map((row) => [row.id, row]));
}

async function selectMailboxes(ctx: TicketContext, which: SQL | undefined): Promise<Mailbox[]> {
  const viewer = requireViewer(ctx, 'read');
  if (!isOperator(viewer)) return [];
  const rows = await ctx.services.database.desk
    .select({ mailbox: mailboxes })
    .from(mailboxes)
    .innerJoin(mailboxGrants, eq(mailboxGrants.mailboxId, mailboxes.id))
    .where(and(eq(mailboxGrants.userId, viewer.userId), which))
    .orderBy(mailboxes.id);
  return rows.map(({ mailbox }) => ({
    id: mailbox.id,
    address: mailbox.address,
    displayName: mailbox.displayName,
    maxMailBytes: mailbox.maxMailBytes,
    isReady: mailbox.disabledAt === null && (mailbox.smtpUrl !== null || ctx.services.sendsByDefault),
  }));
}
