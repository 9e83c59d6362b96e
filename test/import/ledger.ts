import { sql } from 'drizzle-orm';
import type { Db } from '../../src/db/database.ts';

/**
 * Tickets whose counters, last messages or events do not agree with their messages, counted anew; empty when
 * all is well.
 */
export async function ledgerFaults(db: Db): Promise<unknown[]> {
  return [
    ...(await db.execute(sql`
      with counted as (
        select t.id, max(m.id) as last, max(m.id) filter (where m.visibility = 'PUBLIC') as last_public,
        count(m.id) as messages,
          count(m.id) filter (where m.visibility = 'PUBLIC') as public_messages
        from tickets t left join messages m on m.ticket_id = t.id group by t.id
      ), numbered as (
        select t.id, count(e.number) as events, count(e.public_number) as public_events, max(e.number) as
        number,
          max(e.public_number) as public_number, count(*) filter (where e.type = 'MESSAGE_ADDED') as added
        from tickets t left join events e on e.ticket_id = t.id group by t.id
      )
      select t.*, c.*, n.* from tickets t join counted c using (id) join numbered n using (id)
      where (t.last_message_id, t.last_public_message_id, t.message_count, t.public_message_count)
          is distinct from (c.last, c.last_public, c.messages, c.public_messages)
        or t.last_event_number <> n.events or t.last_public_event_number <> n.public_events
        or coalesce(n.number, 0) <> n.events or coalesce(n.public_number, 0) <> n.public_events
        or n.added <> c.messages`)),
    ...(await db.execute(sql`
      select m.id, e.number from messages m full join (select * from events where type = 'MESSAGE_ADDED') e
        on e.ticket_id = m.ticket_id and e.message_id = m.id and e.visibility = m.visibility
        and e.actor_id = m.author_id
          and e.created_at = m.created_at
      where m.id is null or e.number is null`)),
  ];
}
