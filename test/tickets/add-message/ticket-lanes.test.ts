import { expect, test } from 'vitest';
import type { RowAnswer } from '../../../src/tickets/add-message/commit/append-statement.ts';
import {
  createTicketLanes,
  delayInGroups,
  type PendingRow,
} from '../../../src/tickets/add-message/commit/ticket-lanes.ts';
import { createQueue } from '../../../src/tickets/add-message/commit/writing-queue.ts';
import { plainMessage } from '../../mail/world/parts.ts';
import { turn } from '../../support/eventually.ts';

const limits = { atOnce: 2, patience: 600_000, rows: 512, groupRows: 2, groupBytes: 1024 };
const rowTo = (ticketId: number, body: string): PendingRow => ({
  row: { ...plainMessage(body), ticketId, viewerId: 1, isOperator: true },
  bytes: 1,
  name: `#${ticketId}`,
  lockedTimes: 0,
  giveUpAt: undefined,
  resolve: () => {},
  reject: () => {},
});
const bodies = (rows: readonly PendingRow[]) => rows.map(({ row }) => row.body);
const lockTimeout = () => Object.assign(new Error('canceling statement'), { code: '55P03' });

/** Lanes whose statements end when the test says so. */
function startLanes() {
  const statements: (PromiseWithResolvers<readonly RowAnswer[]> & { rows: readonly PendingRow[] })[] = [];
  const released: PendingRow[] = [];
  const append = (rows: readonly PendingRow[]) => {
    const statement = { rows, ...Promise.withResolvers<readonly RowAnswer[]>() };
    statements.push(statement);
    return statement.promise;
  };
  const lanes = createTicketLanes(append, (waiting) => released.push(waiting), limits);
  const written = (rows: readonly PendingRow[]) => rows.map(() => ({ verdict: null }) as RowAnswer);
  return {
    ...{ lanes, statements, released },
    async end(n: number, error?: Error) {
      if (error === undefined) statements[n]!.resolve(written(statements[n]!.rows));
      else statements[n]!.reject(error);
      await turn();
    },
  };
}

test('a ticket that is busy leaves its lane with the first statement that got the lock', async () => {
  const { lanes, statements, released, end } = startLanes();
  for (const body of ['1', '2', '3', '4', '5']) lanes.join(7, rowTo(7, body));
  expect(statements.map(({ rows }) => bodies(rows))).toEqual([['1']]);
  await end(0);
  expect(bodies(released)).toEqual(['2', '3', '4', '5']);
  expect(lanes.take(rowTo(7, '6'))).toBe(false);
  expect(statements).toHaveLength(1);
});

test('a row that timed out alone stays in its lane when the others have been written', async () => {
  const { lanes, statements, released, end } = startLanes();
  lanes.join(7, rowTo(7, 'has a lock of its own'));
  lanes.join(7, rowTo(7, 'has none'));
  await end(0, lockTimeout());
  await end(1);
  expect(bodies(statements[1]!.rows)).toEqual(['has none']);
  expect(bodies(released)).toEqual([]);
  expect(bodies(statements[2]!.rows)).toEqual(['has a lock of its own']);
  await end(2);
  expect(lanes.take(rowTo(7, 'later'))).toBe(false);
});

test('a lane that was left and one that follows it for the same ticket do not mix', async () => {
  const { lanes, statements, released, end } = startLanes();
  for (const body of ['1', '2']) lanes.join(7, rowTo(7, body));
  await end(0);
  lanes.join(7, released[0]!);
  lanes.join(7, rowTo(7, '3'));
  expect(statements).toHaveLength(2);
  expect(lanes.take(rowTo(7, '4'))).toBe(true);
  await end(1, lockTimeout());
  expect(bodies(statements[2]!.rows)).toEqual(['3']);
});

test('a row is retried in groups until a short lock would be gone, then waits in a lane', () => {
  const waiting = rowTo(7, 'locked');
  const delays: number[] = [];
  for (let delay = delayInGroups(waiting); delay !== undefined; delay = delayInGroups(waiting))
    delays.push(delay);
  expect(delays.reduce((sum, delay) => sum + delay)).toBe(252);
  expect(delays.slice(0, 2)).toEqual([0, 0]);
});

test('a row that has to be the first of its ticket precedes those that came meanwhile', () => {
  const { lanes } = startLanes();
  const queue = createQueue(lanes, { ...limits, worthwhileRows: 2, statementsInFlight: 1 });
  const rows = ['first', 'conditional', 'came meanwhile', 'came last'].map((body) => rowTo(7, body));
  for (const row of rows.slice(0, 2)) queue.add(row);
  const group = queue.next(0);
  expect(bodies(group)).toEqual(['first', 'conditional']);
  queue.begin(group);
  for (const row of rows.slice(2)) expect(queue.add(row)).toBe(false);
  queue.end(group, [rows[1]!]);
  expect(bodies(queue.next(0))).toEqual(['conditional', 'came meanwhile']);
});

test('rows are written again, one by one, only if the server rejected their statement', async () => {
  const rejected = Object.assign(new Error('violates a check constraint'), { code: '23514' });
  const unread = new SyntaxError('Unexpected token in JSON');
  for (const [error, statementsWithIt] of [
    [rejected, 2],
    [unread, 1],
  ] as const) {
    const { lanes, statements, end } = startLanes();
    const errors: unknown[] = [];
    for (const body of ['goes last', 'written', 'other'])
      lanes.join(7, { ...rowTo(7, body), reject: (fault) => errors.push(fault) });
    await end(0, lockTimeout());
    await end(1);
    expect(bodies(statements[2]!.rows)).toEqual(['other', 'goes last']);
    await end(2, error);
    expect(statements.length - 2).toBe(statementsWithIt);
    expect(errors).toEqual(error === unread ? [unread, unread] : []);
  }
});
