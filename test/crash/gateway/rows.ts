import type postgres from 'postgres';

/** A message as it lies in the tables, with all that was to be committed with it. */
export interface StoredMessage {
  readonly id: number;
  readonly reference: string;
  readonly body: string;
  readonly visibility: 'PUBLIC' | 'PRIVATE';
  readonly attachments: readonly { name: string; size: number; sha256: string; key: string; blob: boolean }[];
  /** Numbers of its events. */
  readonly events: readonly number[];
  readonly delivery: {
    readonly id: number;
    readonly state: string;
    readonly rfcMessageId: string;
    readonly recipients: readonly { kind: string; address: string; state: string }[];
  } | null;
}

export async function loadMessages(sql: postgres.Sql): Promise<StoredMessage[]> {
  return sql<StoredMessage[]>`
    select m.id, t.reference, m.body, m.visibility,
      coalesce((
        select json_agg(json_build_object('name', a.file_name, 'size', a.byte_size, 'sha256',
        encode(a.sha256, 'hex'), 'key', a.blob_key,
          'blob', exists (select from blobs b where b.key = a.blob_key and b.byte_size = a.byte_size
          and b.sha256 = a.sha256)) order by a.position)
        from attachments a where a.message_id = m.id), '[]') as attachments,
      coalesce((
        select json_agg(e.number) from events e
        where e.message_id = m.id and e.ticket_id = m.ticket_id and e.type = 'MESSAGE_ADDED'
        and e.visibility = m.visibility), '[]') as events,
      (select json_build_object('id', d.id, 'state', d.state, 'rfcMessageId', d.rfc_message_id,
      'recipients', (
          select json_agg(json_build_object('kind', r.kind, 'address', r.address, 'state', r.state)
          order by r.position)
          from delivery_recipients r where r.delivery_id = d.id))
        from deliveries d where d.message_id = m.id) as delivery
    from messages m join tickets t on t.id = m.ticket_id
    where m.body like 'round %' order by m.id`;
}

/**
 * Compares the counters of each ticket's row with its messages and events, and event numbers with their
 * order.
 */
export async function findWrongCounters(sql: postgres.Sql): Promise<object[]> {
  return sql<object[]>`
    with counted as (
      select t.id,
        (select count(*)::int from messages m where m.ticket_id = t.id) as messages,
        (select count(*)::int from messages m where m.ticket_id = t.id
        and m.visibility = 'PUBLIC') as public_messages,
        (select max(m.id) from messages m where m.ticket_id = t.id) as last_message,
        (select max(m.id) from messages m where m.ticket_id = t.id
        and m.visibility = 'PUBLIC') as last_public_message,
        (select count(*)::int from events e where e.ticket_id = t.id) as events,
        (select coalesce(max(e.number), 0) from events e where e.ticket_id = t.id) as last_event,
        (select count(e.public_number)::int from events e where e.ticket_id = t.id) as public_events,
        (select coalesce(max(e.public_number), 0) from events e where e.ticket_id = t.id) as last_public_event
      from tickets t
    ), numbered as (
      select e.ticket_id, e.number - row_number() over w as off, e.public_number,
        e.type = 'MESSAGE_ADDED' and e.message_id < max(e.message_id) filter (where e.type = 'MESSAGE_ADDED')
        over w as backwards
      from events e window w as (partition by e.ticket_id order by e.number)
    )
    select t.reference, row_to_json(c) as counted, t.message_count, t.public_message_count,
    t.last_message_id, t.last_public_message_id,
      t.last_event_number, t.last_public_event_number
    from tickets t join counted c on c.id = t.id
    where t.message_count <> c.messages or t.public_message_count <> c.public_messages
      or t.last_message_id is distinct from c.last_message or t.last_public_message_id is distinct
      from c.last_public_message
      or t.last_event_number <> c.events or c.last_event <> c.events
      or t.last_public_event_number <> c.public_events or c.last_public_event <> c.public_events
      or exists (select from numbered n where n.ticket_id = t.id and (n.off <> 0 or n.backwards))`;
}

/** Attempts that a dead process had begun and not ended, by how far they got: its mails in flight. */
export async function countOpenAttempts(sql: postgres.Sql, pid: number) {
  const [row] = await sql<{ before: number; body: number }[]>`
    select count(*) filter (where d.phase <> 'BODY')::int as before, count(*) filter (where d.phase =
    'BODY')::int as body
    from delivery_attempts a join deliveries d on d.id = a.delivery_id and d.attempt = a.token
    where a.worker like ${`%:${pid}:%`}`;
  return row!;
}

/** Lets the time pass that other workers wait for a dead one, sixty seconds. */
export async function endLeasesOf(sql: postgres.Sql, pid: number): Promise<void> {
  await sql`
    update deliveries d set lease_until = now() - interval '1 second'
    from delivery_attempts a where a.delivery_id = d.id and a.token = d.attempt
    and a.worker like ${`%:${pid}:%`}`;
}

export async function countUnsettled(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from deliveries
    where state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING')`;
  return row!.count;
}
