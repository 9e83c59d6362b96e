import postgres from 'postgres';
import { expect, test } from 'vitest';
import { claim } from '../../../src/mail/outbox/claim.ts';
import { pagesRead } from '../../support/observed/pages-read.ts';
import { createWorld } from '../world/world.ts';

const sent = 800;
const waiting = 1600;

/** Mails of three tickets: the older ones were sent, the others are due. */
async function fill(owner: postgres.Sql): Promise<void> {
  await owner`insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    select 1 + n % 3, 1, 'B', 'TEXT', 'PUBLIC', false from generate_series(1, ${sent + waiting}) n`;
  await owner`
    with mails as (
      insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject,
        rfc_message_id, state, due_at, attempts, settled_at)
      select id, ticket_id, 1, 'company@domain.com', 'C', 'S', '<' || id || '@x>', 'QUEUED', to_timestamp(id),
        0, null
      from messages returning id)
    insert into delivery_recipients (delivery_id, position, kind, address, name)
    select id, 1, 'TO', 'jane@domain.com', '' from mails`;
  await owner`update deliveries set state = 'SENT', settled_at = now() where id <= ${sent}`;
  await owner`vacuum analyze deliveries`;
}

test('what a claim reads grows with the mails that are due, and not with those that were sent', async () => {
  await using world = await createWorld();
  const owner = postgres({ ...(world.ownerConnection as object), max: 1, onnotice: () => {} });
  await fill(owner);
  await owner.end();
  const sql = postgres({ ...(world.connection as object), max: 1, onnotice: () => {} });
  // As the gateway's connections say it at their start.
  await sql`set role ticketwire_app`;
  await sql`select set_config('ticketwire.viewer_role', 'DESK', false)`;
  await sql`set plan_cache_mode = force_generic_plan`;
  const options = { worker: 'w', now: new Date(), leaseSeconds: 10, slots: [], free: 20 };
  const claimed: number[] = [];
  const pages = await pagesRead(sql, ['deliveries'], async () => {
    for (let n = 0; n < 2; n += 1) claimed.push((await claim(sql, options)).length);
  });
  // The first mail of each ticket, and then none of theirs until it is settled.
  expect(claimed).toEqual([3, 0]);
  // Less than a page for each mail that is due, both times together.
  expect(pages).toBeLessThan(waiting);
  await sql.end();
});
