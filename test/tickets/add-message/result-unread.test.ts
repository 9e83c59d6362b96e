import type postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countWaiting } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { add } from '../calls.ts';

/* Commands whose result cannot be read any more when they have been committed. */

let gateway: Gateway;
/** Sessions of an unrelated program. */
let outside: postgres.Sql;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
  outside = gateway.database.asOwner(2);
});
afterAll(async () => {
  await outside.end({ timeout: 5 });
  await gateway[Symbol.asyncDispose]();
});

/** Runs a mutation whose result has to wait for what `lock` takes; each statement that waits is cancelled. */
async function unread(lock: string, mutation: string) {
  let answer: Awaited<ReturnType<Gateway['graphql']>> | undefined;
  await outside.begin(async (tx) => {
    await tx.unsafe(lock);
    const call = gateway.graphql(mutation).then((arrived) => {
      answer = arrived;
    });
    await eventually(async () => (await countWaiting(gateway.sql)) > 0);
    // A read that failed is tried once more.
    await eventually(async () => {
      await tx`select pg_cancel_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      return answer !== undefined;
    });
    await call;
  });
  return answer!;
}

const fault = { code: 'UNAVAILABLE', retryable: true, nothingWritten: false };

test('a message whose ticket cannot be read after its commit may have been written', async () => {
  const { errors } = await unread(
    'lock table attachments in access exclusive mode',
    `mutation { addTicketMessage(input: { ticket: { ticketId: 47 }, body: "written, and not read" }) {
      ... on AddTicketMessagePayload { ticket { messages(last: 1) { nodes { attachments { id } } } } }
    } }`,
  );
  expect(errors![0]!.extensions).toMatchObject(fault);
  expect(await gateway.sql`select from messages where body = 'written, and not read'`).toHaveLength(1);
});

test('a mail that cannot be read after it was cancelled may have been cancelled', async () => {
  const added = await add(gateway, { email: { from: 'company@domain.com', holdSeconds: 600 } });
  // The command itself works as the desk.
  await outside`create policy waiting on deliveries as restrictive for select using (
    current_setting('ticketwire.viewer_role') <> 'OPERATOR' or pg_advisory_xact_lock_shared(1)::text = '')`;
  const { errors } = await unread(
    'select pg_advisory_xact_lock(1)',
    `mutation { cancelDelivery(input: { delivery: "${added.delivery!.id}" }) { __typename } }`,
  );
  await outside`drop policy waiting on deliveries`;
  expect(errors![0]!.extensions).toMatchObject(fault);
  const [row] = await gateway.sql`select state from deliveries order by id desc limit 1`;
  expect(row!.state).toBe('CANCELLED');
});
