import type postgres from 'postgres';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createBacklog } from '../../src/mail/outbox/backlog.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const row = { state: 'QUEUED', deliveries: 3, oldestSeconds: 7, stalledSeconds: 5 };
const counted = {
  states: [{ state: 'QUEUED', deliveries: 3, oldestSeconds: 7 }],
  stalledSeconds: 5,
};

/** A database that answers when the test says so. */
function slowDatabase() {
  const queries: PromiseWithResolvers<unknown>[] = [];
  const query = () => {
    queries.push(Promise.withResolvers());
    return queries.at(-1)!.promise;
  };
  return { queries, backlog: createBacklog(query as unknown as postgres.Sql) };
}

test('a query that is late is waited for by later calls: there is never a second one beside it', async () => {
  const { queries, backlog } = slowDatabase();
  for (let call = 0; call < 5; call += 1) {
    const late = expect(backlog()).rejects.toThrow('no answer');
    await vi.advanceTimersByTimeAsync(4000);
    await late;
  }
  expect(queries).toHaveLength(1);
  const answer = backlog();
  queries[0]!.resolve([row]);
  await expect(answer).resolves.toEqual(counted);
  await vi.advanceTimersByTimeAsync(1000);
  backlog().catch(() => {});
  expect(queries).toHaveLength(2);
});

test('after a query that failed late, the next call asks again', async () => {
  const { queries, backlog } = slowDatabase();
  const late = expect(backlog()).rejects.toThrow('no answer');
  await vi.advanceTimersByTimeAsync(4000);
  await late;
  queries[0]!.reject(new Error('connection closed'));
  await vi.advanceTimersByTimeAsync(0);
  const next = backlog();
  expect(queries).toHaveLength(2);
  queries[1]!.resolve([row]);
  await expect(next).resolves.toEqual(counted);
});
