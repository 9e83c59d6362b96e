import { inArray, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../db/database.ts';
import { auditEntries, users } from '../../db/tables.ts';
import type { DeskRecord, DeskRecordOf } from '../../import/record.ts';
import { reserveIds, writeRecords } from '../../import/write-records.ts';
import { conversations } from './conversations.ts';

/** The names and passwords of the demo desk that are printed at the start. */
export interface DemoDesk {
  readonly operator: { readonly login: string; readonly password: string };
  readonly requester: { readonly login: string; readonly password: string };
  /** Address of a mailbox that the operator may send from. */
  readonly mailbox: string;
  /** A ticket of the requester. */
  readonly ticket: { readonly id: number; readonly reference: string };
}

const demo: DemoDesk = {
  operator: { login: 'operator', password: 'operator' },
  requester: { login: 'requester', password: 'requester' },
  mailbox: 'company@domain.com',
  ticket: { id: 47, reference: 'INC-000047' },
};
/** Computed once, so that a start costs no hashing. The passwords are public. */
const hashes = {
  operator: 'scrypt$ln=14,r=8,p=5$1eQn0IoUTVb/cZcdHsiGOw$4WRsBCbBkcMgbFBoGzpmVXrQfgtz+xbdbUlBoJY7nhQ',
  requester: 'scrypt$ln=14,r=8,p=5$W4AoVxrV200dek++3GmrQw$0P9+Yie9H42rSWA68H8FPVCEkbTeQd0XjrEoe/caWNA',
};
/**
 * The two demo passwords as they are stored: hashes for `users.password_hash`. A user whose stored hash is
 * one of them has a password that everybody knows.
 */
export const demoHashes: ReadonlySet<string> = new Set(Object.values(hashes));
const seededAction = 'DEMO_SEEDED';
const operatorId = 1;
const requesterId = 2;
const hour = 3_600_000;

/**
 * Fills an empty database with people, mailboxes and fifty tickets. In a database that it filled before, it
 * only restores the passwords that `retireDemoAccounts` removed. Other databases are left as they are. It is
 * for the embedded database of a gateway that only this machine can reach, because the passwords are public.
 * It runs in one transaction, and processes that start together take turns.
 * @returns undefined when the database had users of its own, or when a demo user has another password or is
 *   disabled
 */
export async function seedDemoDesk(db: Db): Promise<DemoDesk | undefined> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(7407470003)`);
    if (!(await isSeeded(tx))) {
      if ((await tx.$count(users)) > 0) return undefined;
      await seed(tx, new Date());
    } else {
      await restorePasswords(tx);
    }
    const found = await tx
      .select({ hash: users.passwordHash, disabledAt: users.disabledAt })
      .from(users)
      .where(inArray(users.passwordHash, Object.values(hashes)));
    return found.filter(({ disabledAt }) => disabledAt === null).length === 2 ? demo : undefined;
  });
}

/**
 * Removes the password of each user who has a demo password, so that nobody signs in with it. It is for a
 * gateway that others can reach, whose database was a demo before. `seedDemoDesk` restores the passwords.
 * @returns the number of users whose password was removed
 */
export async function retireDemoAccounts(db: Db): Promise<number> {
  const rows = await db
    .update(users)
    .set({ passwordHash: null })
    .where(inArray(users.passwordHash, Object.values(hashes)))
    .returning({ id: users.id });
  return rows.length;
}

async function isSeeded(tx: Tx): Promise<boolean> {
  return (await tx.$count(auditEntries, sql`action = ${seededAction}`)) > 0;
}

async function restorePasswords(tx: Tx): Promise<void> {
  for (const [id, login] of [
    [operatorId, 'operator'],
    [requesterId, 'requester'],
  ] as const) {
    await tx
      .update(users)
      .set({ passwordHash: hashes[login] })
      .where(sql`${users.id} = ${id} and ${users.login} = ${login} and ${users.passwordHash} is null`);
  }
}

async function seed(tx: Tx, now: Date): Promise<void> {
  const records = demoRecords(now);
  const highest = (type: DeskRecord['type']) =>
    Math.max(...records.filter((record) => record.type === type).map((record) => record.id));
  await reserveIds(tx, {
    user: highest('user'),
    mailbox: highest('mailbox'),
    ticket: highest('ticket'),
    message: highest('message'),
  });
  await writeRecords(tx, records);
  await tx.insert(auditEntries).values({ action: seededAction });
}

function demoRecords(now: Date): DeskRecord[] {
  const person = (
    id: number,
    login: string,
    name: string,
    more: Partial<DeskRecordOf<'user'>> = {},
  ): DeskRecord => ({
    type: 'user',
    id,
    login,
    name,
    email: `${login}@domain.com`,
    role: 'REQUESTER',
    ...more,
  });
  const mailbox = (id: number, address: string, displayName: string): DeskRecord => ({
    type: 'mailbox',
    id,
    address,
    displayName,
    operators: [operatorId],
  });
  return [
    person(operatorId, 'operator', 'Olivia Brooks', { role: 'OPERATOR', passwordHash: hashes.operator }),
    person(requesterId, 'requester', 'Petr Novák', { passwordHash: hashes.requester }),
    person(3, 'jane.doe', 'Jane Doe'),
    person(4, 'jack.more', 'Jack More'),
    person(5, 'eva.horakova', 'Eva Horáková'),
    person(6, 'tom.baker', 'Tom Baker'),
    mailbox(1, demo.mailbox, 'Company Help Desk'),
    mailbox(2, 'a@b.cz', 'Branch Office Prague'),
    ...demoTickets(now),
  ];
}

/** The tickets were opened eleven hours apart. Those whose number ends in 2 or 7 are the demo requester's. */
function demoTickets(now: Date): DeskRecord[] {
  const records: DeskRecord[] = [];
  let messageId = 0;
  conversations.forEach(([subject, ...turns], index) => {
    const id = index + 1;
    const requester = id % 5 === 2 ? requesterId : 3 + (id % 4);
    const openedAt = now.getTime() - (conversations.length - index) * 11 * hour;
    records.push({
      type: 'ticket',
      id,
      reference: `INC-${String(id).padStart(6, '0')}`,
      subject,
      status: id % 8 === 4 ? 'CLOSED' : 'OPEN',
      requesterId: requester,
      originalMessageId: `<demo-${id}@mail.domain.com>`,
      createdAt: new Date(openedAt),
    });
    const say = (body: string, turn: number, visibility: 'PUBLIC' | 'PRIVATE', authorId: number) => {
      const createdAt = new Date(openedAt + turn * 0.7 * hour);
      messageId += 1;
      records.push({ type: 'message', id: messageId, ticketId: id, authorId, body, visibility, createdAt });
    };
    turns.forEach((body, turn) => {
      say(body, turn, 'PUBLIC', turn % 2 === 0 ? requester : operatorId);
    });
    if (id % 10 === 7)
      say('Note to ourselves: the requester prefers to be called.', turns.length, 'PRIVATE', operatorId);
  });
  return records;
}
