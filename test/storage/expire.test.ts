import { expect, test } from 'vitest';
import {
  expireAuditEntries,
  expireInboxMails,
  expireRateLimits,
} from '../../src/storage/garbage/expire-rows.ts';
import { createTestDatabase } from '../support/database.ts';

test('the inbox’s mails and the minute counts are deleted after their time, not before', async () => {
  await using world = await createTestDatabase();
  const { desk, raw } = world.database;
  await raw`insert into inbox_mails (mail_from, rcpt_to, source, summary, received_at)
    select 'a@b.cz', '{c@d.cz}', 'x', '{}', now() - make_interval(days => days)
    from unnest(array[0, 29, 31, 400]) as days`;
  await raw`insert into rate_limits (key, points, expire)
    select 'viewer:' || n, 1, (extract(epoch from now()) * 1000)::int8 + n * 60000
    from unnest(array[1, -1, -61, -600]) as n`;
  expect(await expireInboxMails(desk, 30)).toBe(2);
  await expireRateLimits(desk);
  expect(await raw`select count(*)::int as n from inbox_mails`).toEqual([{ n: 2 }]);
  const keys = await raw`select key from rate_limits order by key`;
  expect(keys.map(({ key }) => key)).toEqual(['viewer:-1', 'viewer:1']);
});

test('audit entries are deleted after their time, and younger ones by nobody but the owner', async () => {
  await using world = await createTestDatabase();
  const { desk, raw } = world.database;
  const days = [400, 366, 364, 31, 0];
  await raw`insert into audit_entries (action, created_at)
    select 'USER_ADDED', now() - make_interval(days => days) from unnest(${days}::int[]) as days`;
  const kept = async () => {
    const rows = await raw`select (now()::date - created_at::date) as age from audit_entries order by id`;
    return rows.map(({ age }) => age);
  };
  expect(await expireAuditEntries(desk, 365)).toBe(2);
  expect(await kept()).toEqual([364, 31, 0]);
  expect(await expireAuditEntries(desk, 365)).toBe(0);
  await expect(expireAuditEntries(desk, 29)).rejects.toThrow();
  await expect(raw`delete from audit_entries`).rejects.toThrow('permission denied');
  expect(await kept()).toEqual([364, 31, 0]);
});
