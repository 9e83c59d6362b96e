import { expect, test } from 'vitest';
import { createLog } from '../../../src/platform/log.ts';
import { eventually } from '../../support/eventually.ts';
import { startGateway } from '../../support/gateway.ts';
import { add, ask } from '../../tickets/calls.ts';

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

test('one that cannot be read holds up no other, and is sent once it can be', async () => {
  const lines: string[] = [];
  const log = createLog('error', { write: (line: string) => lines.push(line) > 0 } as never);
  await using gateway = await startGateway({ env: { ROLES: 'web' }, overrides: { log } });
  const { sql } = gateway;
  const ids: number[] = [];
  for (const ticketId of [5, 6, 7])
    ids.push(
      await ask(
        gateway,
        `mutation { addTicketMessage(input: { ticket: { ticketId: ${ticketId} }, body: "hello",
          email: { from: "company@domain.com" } }) { ... on AddTicketMessagePayload {
            ticketMessage { messageId } } } }`,
      ).then((result) => (result as { ticketMessage: { messageId: number } }).ticketMessage.messageId),
    );
  const [broken] = await sql<{ id: number }[]>`select id from deliveries where message_id = ${ids[1]!}`;
  // Damaged storage may lose rows that others refer to.
  const lost = await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    return tx`delete from delivery_recipients where delivery_id = ${broken!.id} returning *`;
  });
  const startWorker = () =>
    startGateway({
      env: { ROLES: 'worker', SMTP_URL: gateway.sink.url, WORKER_PORT: '0' },
      overrides: { log },
      database: gateway.database,
    });
  {
    await using _worker = await startWorker();
    await gateway.sink.received(2);
    await expect.poll(() => lines.join('')).toContain('a claimed mail cannot be read');
  }
  await sql`insert into delivery_recipients ${sql(lost)}`;
  await sql`update deliveries set due_at = now() where id = ${broken!.id}`;
  await using _next = await startWorker();
  await gateway.sink.received(3);
});
