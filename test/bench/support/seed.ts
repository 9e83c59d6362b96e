import type postgres from 'postgres';

/**
 * Tickets 1 to `readTickets` have a page to read, and are closed: a list of them stays the same while the
 * others are written to.
 */
export const readTickets = 100;
export const tickets = 2000;
export const messagesPerReadTicket = 60;
export const mailbox = 'desk@bench.test';

/** One operator, 500 requesters, and tickets with messages, attachments and settled deliveries. */
export async function seed(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    insert into users (id, login, name, email, role)
      select 1, 'operator', 'Olivia Operator', 'olivia@bench.test', 'OPERATOR' union all
      select n, 'requester' || n, 'Requester ' || n, 'requester' || n || '@customer.test', 'REQUESTER'
      from generate_series(2, 501) n;
    insert into mailboxes (id, address, display_name, smtp_url)
    values (1, '${mailbox}', 'Bench Desk', 'smtp://127.0.0.1:9');
    insert into mailbox_grants values (1, 1);
    insert into tickets (id, reference, subject, requester_id)
      select n, 'INC-' || lpad(n::text, 6, '0'), 'The printer on floor ' || n || ' is out of paper', 2 + n %
      500
      from generate_series(1, ${tickets}) n;
    insert into messages (id, ticket_id, author_id, body, format, visibility, is_mobile_device)
      select (t - 1) * ${messagesPerReadTicket} + m, t, case when m % 2 = 0 then 1 else 2 + t % 500 end,
        repeat('We looked at it and it is still so. ', 8) || m, 'TEXT', 'PUBLIC', m % 3 = 0
      from generate_series(1, ${readTickets}) t, generate_series(1, ${messagesPerReadTicket}) m order by 1;
    insert into blobs (key, byte_size, sha256)
      select encode(sha256(id::text::bytea), 'hex'), 1000 + id, sha256(id::text::bytea) from messages
      where id % 2 = 0;
    insert into attachments (message_id, position, blob_key, file_name, content_type, byte_size, sha256)
      select id, 1, encode(sha256(id::text::bytea), 'hex'), 'photo-' || id || '.jpg', 'image/jpeg', 1000 +
      id, sha256(id::text::bytea)
      from messages where id % 2 = 0;
    with d as (
      insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject,
      rfc_message_id, state, settled_at)
        select id, ticket_id, 1, '${mailbox}', 'Bench Desk', 'Re: it', '<' || id || '@bench.test>', 'SENT',
        now()
        from messages where author_id = 1 returning id, ticket_id)
    insert into delivery_recipients (delivery_id, position, kind, address, name, state)
      select id, 1, 'TO', 'requester' || (2 + ticket_id % 500) || '@customer.test', 'Requester', 'SENT'
      from d union all
      select id, 2, 'CC', 'boss@customer.test', '', 'SENT' from d;
    insert into events (ticket_id, number, public_number, type, visibility, actor_id, message_id)
      select ticket_id, n, n, 'MESSAGE_ADDED', 'PUBLIC', author_id, id
      from (select *, row_number() over (partition by ticket_id order by id) n from messages) m;
    update tickets t set last_message_id = m.last, last_public_message_id = m.last, message_count = m.n,
    public_message_count = m.n,
        last_event_number = m.n, last_public_event_number = m.n
      from (select ticket_id, max(id) as last, count(*) as n from messages group by 1) m
      where m.ticket_id = t.id;
    update tickets set status = 'CLOSED', active_at = now() - id * interval '1 minute',
      public_active_at = now() - id * interval '1 minute', listed_at = now() - id * interval '1 minute',
      public_listed_at = now() - id * interval '1 minute' where id <= ${readTickets};
    select setval('users_id_seq', 1000), setval('mailboxes_id_seq', 10), setval('tickets_id_seq', ${tickets}),
      setval('messages_id_seq', ${readTickets * messagesPerReadTicket});`);
  await sql.unsafe('vacuum analyze');
}
