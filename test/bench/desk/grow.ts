import { messagesPerReadTicket, readTickets, tickets } from '../support/seed.ts';

/** The ticket that becomes long, and its requester, who becomes the one with many tickets. */
export const longTicket = 1;
export const largeRequester = 3;
/** A ticket and a requester that stay as they are. */
export const usualTicket = 2;
export const usualRequester = 4;

const seeded = readTickets * messagesPerReadTicket;

/** What a desk has altogether at scale 1. */
const full = { tickets: 300_000, messages: 2_500_000, longTicket: 100_000, ofLargeRequester: 50_010 };

/** As the worker leaves them. */
const writeWords = `
  insert into message_search select id, message_words(body, format, id) from messages on conflict do nothing;
  update search_progress set covered = m.id, candidate = m.id from (select max(id) as id from messages) m;`;

/** Both desks have 12 open tickets, and subjects, addresses and bodies to search. */
export const smallDesk = `
  update tickets set status = 'CLOSED' where id > 12;
  update tickets t set active_at = m.created_at, public_active_at = m.created_at,
    listed_at = m.created_at, public_listed_at = m.created_at
    from messages m where m.id = t.last_message_id;
  update tickets set subject = 'The elevator in building ' || id || ' is stuck' where id <= 3;
  update messages set body = body || case when id % 5 = 0 then ' invoice' else '' end
    || case when id % 100 = 0 then ' zanzibar' else '' end;
  with d as (insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject,
    rfc_message_id, state) select id, ticket_id, 1, 'a@b.cz', 'a', 'a', '<' || id || '@x>', 'FAILED'
    from messages where author_id <> 1 and id % 50 = 1 returning id)
    insert into delivery_recipients (delivery_id, position, kind, address, state)
    select id, 1, 'TO', 'a@b.cz', 'FAILED' from d;
  ${writeWords}`;

/** Text of message `i`: twelve words of thirty thousand, one in a fifth of all bodies, and a rare one. */
const body = `'Message ' || i || ' says' || ${Array.from(
  { length: 12 },
  (_, n) => `' w' || (i::bigint * ${7919 + 2 * n} % ${30_011 - 2 * n})`,
).join(' || ')} || case when i % 5 = 0 then ' invoice' else '' end
  || case when i % 100003 = 0 then ' zanzibar' else '' end`;
const visibility = `case when i % 4 = 0 then 'PRIVATE' else 'PUBLIC' end`;
/** Which messages have mails and files. */
const isMailed = 'i % 4 = 1 and i % 5 <> 0';
const hasFile = 'i % 8 = 2';

/**
 * Statements that make a small desk large. Tickets have eight messages each, written turn about; the long
 * ticket's are the newest.
 */
export function grow(scale: number): string[] {
  const count = Math.round(full.tickets * scale) - tickets;
  const long = Math.round(full.longTicket * scale);
  const spread = Math.round(full.messages * scale) - long - seeded;
  const ofLarge = Math.round(full.ofLargeRequester * scale);
  const all = `select i, case when i <= ${spread} then ${tickets} + 1 + (i - 1) % ${count}
    else ${longTicket} end as ticket_id from generate_series(1, ${spread + long}) i`;
  return [
    'set session_replication_role = replica',
    `insert into users (id, login, name, email, role) select n, 'customer' || n, 'Customer ' || n,
      'customer' || n || '@large.test', 'REQUESTER' from generate_series(502, 502 + ${count} / 10) n`,
    `insert into tickets (id, reference, subject, status, requester_id)
      select ${tickets} + n, 'INC-' || lpad((${tickets} + n)::text, 6, '0'),
        'The printer on floor ' || n || ' needs part ' || n::bigint * 7919 % 30011, 'CLOSED',
        case when n <= ${ofLarge} then ${largeRequester} else 502 + n / 10 end
      from generate_series(1, ${count}) n`,
    `insert into messages (id, ticket_id, author_id, body, format, visibility, is_mobile_device, created_at)
      select ${seeded} + i, ticket_id, 1, ${body}, 'TEXT', ${visibility}, false,
        now() - (${spread + long} - i) * interval '2 seconds' from (${all}) m`,
    `insert into events (ticket_id, number, public_number, type, visibility, actor_id, message_id)
      select ticket_id, row_number() over of_ticket, case when visibility = 'PUBLIC' then
        count(*) filter (where visibility = 'PUBLIC') over of_ticket end, 'MESSAGE_ADDED', visibility, 1, id
      from messages where id > ${seeded} and ticket_id <> ${longTicket}
      window of_ticket as (partition by ticket_id order by id)`,
    `insert into events (ticket_id, number, public_number, type, visibility, actor_id, message_id)
      select ticket_id, row_number() over of_ticket, case when visibility = 'PUBLIC' then
        count(*) filter (where visibility = 'PUBLIC') over of_ticket end, 'MESSAGE_ADDED', visibility, 1, id
      from messages where ticket_id = ${longTicket} window of_ticket as (order by id)
      on conflict do nothing`,
    `with d as (insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject,
      rfc_message_id, state, settled_at) select ${seeded} + i, ticket_id, 1, 'desk@bench.test', 'Bench Desk',
        'Re: it', '<' || i || '@bench.test>', case when i % 1000 = 1 then 'FAILED' else 'SENT' end, now()
      from (${all}) m where ${isMailed} returning id, state)
      insert into delivery_recipients (delivery_id, position, kind, address, state)
      select id, 1, 'TO', 'customer@large.test', state from d`,
    `insert into blobs (key, byte_size, sha256)
      select encode(sha256(('g' || i)::bytea), 'hex'), 1000, '' from (${all}) m where ${hasFile}`,
    `insert into attachments (message_id, position, blob_key, file_name, content_type, byte_size, sha256)
      select ${seeded} + i, 1, encode(sha256(('g' || i)::bytea), 'hex'), 'photo.jpg', 'image/jpeg', 1000, ''
      from (${all}) m where ${hasFile}`,
    `update tickets t set last_message_id = m.last, last_public_message_id = m.last_public,
      message_count = m.n, public_message_count = m.public, last_event_number = m.n,
      last_public_event_number = m.public
      from (select ticket_id, max(id) as last, max(id) filter (where visibility = 'PUBLIC') as last_public,
        count(*) as n, count(*) filter (where visibility = 'PUBLIC') as public from messages group by 1) m
      where m.ticket_id = t.id`,
    `update tickets t set active_at = a.created_at, public_active_at = p.created_at,
      listed_at = a.created_at, public_listed_at = p.created_at
      from messages a, messages p where a.id = t.last_message_id and p.id = t.last_public_message_id`,
    `insert into ticket_search select id, reference_key, ticket_words(subject, id) from tickets
      on conflict do nothing`,
    writeWords,
    `select setval('tickets_id_seq', (select max(id) from tickets))`,
    `select setval('messages_id_seq', (select max(id) from messages))`,
    'reset session_replication_role',
  ];
}
