import type postgres from 'postgres';

/**
 * Rows of each table that a message with an e-mail to two people leaves; and how many of each a message
 * leaves.
 */
const perMessage = {
  messages: 1,
  events: 1,
  idempotency_keys: 1,
  deliveries: 1,
  delivery_recipients: 2,
} as const;
type Table = keyof typeof perMessage;
export type Counts = Readonly<Record<Table, number>>;

export async function countRows(sql: postgres.Sql): Promise<Counts> {
  const counts = Object.keys(perMessage).map(
    (table) => sql`(select count(*)::int from ${sql(table)}) as ${sql(table)}`,
  );
  const [row] = await sql`select ${counts.flatMap((one, i) => (i === 0 ? [one] : [sql`,`, one]))}`;
  return row as unknown as Counts;
}

/** What differs from so many acknowledged messages, each of them whole and in its ticket's count. */
export async function wrongRows(sql: postgres.Sql, before: Counts, acknowledged: number): Promise<string[]> {
  const after = await countRows(sql);
  const wrong = Object.entries(perMessage).flatMap(([table, each]) => {
    const added = after[table as Table] - before[table as Table];
    return added === each * acknowledged ? [] : [`${table}: ${added} rows for ${acknowledged} messages`];
  });
  const [row] = await sql<{ miscounted: number }[]>`
    select count(*)::int as miscounted from tickets t
    where (t.message_count, t.last_event_number) is distinct from
      ((select count(*)::int from messages m where m.ticket_id = t.id), (select coalesce(max(number), 0)
      from events e where e.ticket_id = t.id))`;
  return row!.miscounted === 0 ? wrong : [...wrong, `${row!.miscounted} tickets count wrongly`];
}
