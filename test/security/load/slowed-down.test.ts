import { expect, test } from 'vitest';
import { startGateway } from '../../support/gateway.ts';

test('a throttled address gets 429 and Retry-After, legacy clients and wrong passwords 401', async () => {
  // The clock stands still: a slow machine would let tries fall due again as fast as it makes them.
  const now = new Date();
  await using gateway = await startGateway({ env: { ROLES: 'web' }, overrides: { now: () => now } });
  const json = { 'content-type': 'application/json' };
  const ask = async (path: string, method: string, authorization: string) => {
    const headers = { authorization, ...(path === '/uploads' ? {} : json) };
    const body = method === 'POST' ? { body: '{"query":"{viewer{login}}"}' } : {};
    const answer = await fetch(new URL(path, gateway.url), { method, headers, ...body });
    await answer.arrayBuffer();
    const wait = answer.headers.get('retry-after');
    return [path, answer.status, wait === null ? undefined : Number(wait) > 0];
  };
  const doors = [
    ['/graphql', 'POST'],
    ['/uploads', 'POST'],
    ['/attachments/x', 'GET'],
    ['/api/Tickets/NewMessage', 'POST'],
  ] as const;
  let n = 0;
  const all = () => Promise.all(doors.map(([path, method]) => ask(path, method, `Bearer garbage${n++}`)));
  expect(await all()).toEqual(doors.map(([path]) => [path, 401, undefined]));
  await Promise.all(Array.from({ length: 200 }, () => ask('/graphql', 'POST', `Bearer garbage${n++}`)));
  expect(await all()).toEqual([
    ['/graphql', 429, true],
    ['/uploads', 429, true],
    ['/attachments/x', 429, true],
    ['/api/Tickets/NewMessage', 401, true],
  ]);
});
