import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startGateway } from '../../support/gateway.ts';
import { add } from '../../tickets/calls.ts';

test('claimed mails that the database cannot show for a while are sent by the same claim', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web,worker' } });
  const { sql } = gateway;
  await sql.begin(async (tx) => {
    await tx`lock table delivery_sources in access exclusive mode`;
    for (const ticketId of [5, 6])
      await add(gateway, { ticket: { ticketId }, email: { from: 'company@domain.com' } });
    // Two statements are ended, as if they ran into their time limit.
    let ended = '';
    for (let n = 0; n < 2; n += 1) {
      const waiting = await eventually(async () => {
        const [backend] = await sql`select pid, query_start::text as since from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`;
        return backend !== undefined && backend.since !== ended && backend;
      });
      await sql`select pg_cancel_backend(${waiting.pid})`;
      ended = waiting.since;
    }
    expect(gateway.sink.mails).toEqual([]);
  });
  await gateway.sink.received(2);
  const states = () => sql`
    select state, attempts from deliveries where message_id in (
      select max(id) from messages where ticket_id in (5, 6) group by ticket_id)`;
  await expect.poll(states).toEqual(Array(2).fill({ state: 'SENT', attempts: 1 }));
});
