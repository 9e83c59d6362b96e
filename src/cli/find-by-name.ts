import { sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/database.ts';
import { mailboxes, tickets, users } from '../db/tables.ts';
import { CommandError } from './command.ts';

/**
 * Finds a user, enabled or disabled, by login, ignoring case.
 * @returns the row of `users`, with the password hash
 * @throws CommandError when there is none
 */
export async function findUser(db: Db | Tx, login: string) {
  const [user] = await db.select().from(users).where(sql`lower(${users.login}) = lower(${login})`);
  if (user === undefined) throw new CommandError(`There is no user with the login ${login}`);
  return user;
}

/**
 * Finds an operator, enabled or disabled, by login, ignoring case.
 * @returns the row of `users`, with the password hash
 * @throws CommandError when there is no such user, or the user is a requester; requesters cannot send mail
 */
export async function findOperator(db: Db | Tx, login: string) {
  const user = await findUser(db, login);
  if (user.role !== 'OPERATOR')
    throw new CommandError(`${user.login} is a requester: only operators send mail`);
  return user;
}

/**
 * Finds a mailbox, enabled or disabled, by address, ignoring case.
 * @returns the row of `mailboxes`, with the encrypted SMTP password
 * @throws CommandError when there is none
 */
export async function findMailbox(db: Db | Tx, address: string) {
  const [mailbox] = await db
    .select()
    .from(mailboxes)
    .where(sql`lower(${mailboxes.address}) = lower(${address})`);
  if (mailbox === undefined) throw new CommandError(`There is no mailbox ${address}`);
  return mailbox;
}

/**
 * Finds a ticket by reference, ignoring case, or by id.
 * @param name a reference or an id, up to ten digits; when both match, the reference takes precedence
 * @returns the row of `tickets`
 * @throws CommandError when there is none
 */
export async function findTicket(db: Db | Tx, name: string) {
  const id = /^\d{1,10}$/.test(name) ? Number(name) : null;
  const [ticket] = await db
    .select()
    .from(tickets)
    .where(sql`${tickets.referenceKey} = lower(${name}) or ${tickets.id} = ${id}::bigint`)
    .orderBy(sql`${tickets.referenceKey} = lower(${name}) desc`)
    .limit(1);
  if (ticket === undefined) throw new CommandError(`There is no ticket ${name}`);
  return ticket;
}
