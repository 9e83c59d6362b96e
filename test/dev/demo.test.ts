import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createAuthenticator } from '../../src/auth/authenticate.ts';
import { hashPassword } from '../../src/auth/passwords.ts';
import * as tables from '../../src/db/tables.ts';
import { retireDemoAccounts, seedDemoDesk } from '../../src/dev/demo/seed-desk.ts';
import { createLog } from '../../src/platform/log.ts';
import { ledgerFaults } from '../import/ledger.ts';
import { shareDatabase, type TestDatabase } from '../support/database.ts';
import { sampled } from '../support/soak.ts';

const shared = shareDatabase();

async function everything({ database }: TestDatabase) {
  const { users, mailboxes, mailboxGrants, tickets, messages, events } = tables;
  const all = [users, mailboxes, mailboxGrants, tickets, messages, events] as const;
  return Promise.all(all.map((table) => database.desk.select().from(table)));
}

test('an empty desk gets fifty tickets, whose numbers are their ids, and people to sign in as', async () => {
  const world = shared();
  const { desk } = world.database;
  const demo = await seedDemoDesk(desk);
  const tickets = await desk.select().from(tables.tickets).orderBy(tables.tickets.id);
  expect(tickets.map(({ id, reference }) => [id, reference])).toEqual(
    Array.from({ length: 50 }, (_, i) => [i + 1, `INC-${String(i + 1).padStart(6, '0')}`]),
  );
  expect(tickets.filter(({ status }) => status === 'OPEN').length).toBeGreaterThan(35);
  expect(tickets.every(({ publicMessageCount }) => publicMessageCount >= 2)).toBe(true);
  expect(await ledgerFaults(desk)).toEqual([]);

  await using authenticator = createAuthenticator({ db: desk, log: createLog('silent') });
  for (const { login, password } of sampled([demo!.operator, demo!.requester], 2)) {
    const header = `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;
    expect(await authenticator.authenticate(header, '::1')).toMatchObject({
      login,
      role: login.toUpperCase(),
    });
  }
});

test('ticket 47 can be mailed from both mailboxes, to somebody who is not in the sample’s Cc', async () => {
  const world = shared();
  const { desk } = world.database;
  const demo = await seedDemoDesk(desk);
  const [row] = await desk
    .select({ login: tables.users.login, email: tables.users.email })
    .from(tables.tickets)
    .innerJoin(tables.users, eq(tables.users.id, tables.tickets.requesterId))
    .where(eq(tables.tickets.reference, demo!.ticket.reference));
  expect(row).toEqual({ login: 'requester', email: 'requester@domain.com' });
  const grants = await desk
    .select({ address: tables.mailboxes.address, login: tables.users.login })
    .from(tables.mailboxGrants)
    .innerJoin(tables.mailboxes, eq(tables.mailboxes.id, tables.mailboxGrants.mailboxId))
    .innerJoin(tables.users, eq(tables.users.id, tables.mailboxGrants.userId))
    .orderBy(tables.mailboxes.id);
  expect(grants).toEqual([
    { address: 'company@domain.com', login: 'operator' },
    { address: 'a@b.cz', login: 'operator' },
  ]);
});

test('a second start changes nothing, whatever was done meanwhile, and new rows get ids above', async () => {
  const world = shared();
  const { desk } = world.database;
  await seedDemoDesk(desk);
  await desk.update(tables.tickets).set({ subject: 'Changed' }).where(eq(tables.tickets.id, 3));
  const [user] = await desk
    .insert(tables.users)
    .values({ login: 'new', name: 'New', role: 'OPERATOR' })
    .returning();
  expect(user!.id).toBe(7);
  const before = await everything(world);
  expect(await seedDemoDesk(desk)).toMatchObject({ operator: { login: 'operator' } });
  expect(await everything(world)).toEqual(before);
});

test('two processes that start together seed once', async () => {
  const world = shared();
  const { desk } = world.database;
  const both = await Promise.all([seedDemoDesk(desk), seedDemoDesk(desk)]);
  expect(both.every(Boolean)).toBe(true);
  expect(await desk.$count(tables.tickets)).toBe(50);
  expect(await ledgerFaults(desk)).toEqual([]);
});

test('a desk that has people of its own is left alone', async () => {
  const world = shared();
  const { desk } = world.database;
  await desk.insert(tables.users).values({ login: 'operator', name: 'Somebody', role: 'OPERATOR' });
  expect(await seedDemoDesk(desk)).toBeUndefined();
  expect(await desk.$count(tables.users)).toBe(1);
  expect((await desk.select().from(tables.users))[0]!.passwordHash).toBeNull();
});

test('a demo whose passwords were changed is not announced, nor are they changed back', async () => {
  const world = shared();
  const { desk } = world.database;
  await seedDemoDesk(desk);
  const passwordHash = await hashPassword('secret', { logN: 4, r: 8, p: 1 });
  await desk.update(tables.users).set({ passwordHash }).where(eq(tables.users.login, 'operator'));
  expect(await seedDemoDesk(desk)).toBeUndefined();
  const [row] = await desk.select().from(tables.users).where(eq(tables.users.login, 'operator'));
  expect(row!.passwordHash).toBe(passwordHash);
});

test('the well-known passwords work only while nobody else can reach the gateway', async () => {
  const world = shared();
  const { desk } = world.database;
  await seedDemoDesk(desk);
  expect(await retireDemoAccounts(desk)).toBe(2);
  expect(await retireDemoAccounts(desk)).toBe(0);
  await using authenticator = createAuthenticator({ db: desk, log: createLog('silent') });
  const header = `Basic ${Buffer.from('operator:operator').toString('base64')}`;
  await expect(authenticator.authenticate(header, '::1')).rejects.toThrow('wrong');
  expect(await seedDemoDesk(desk)).toBeDefined();
  expect(await authenticator.authenticate(header, '::1')).toMatchObject({ login: 'operator' });
});
