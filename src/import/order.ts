import { sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/database.ts';
import type { RecordOf } from './record.ts';

type Message = Pick<RecordOf<'message'>, 'id' | 'ticketId'>;

/**
 * The new messages of a batch that come before what their tickets already have: the message's id → the
 * ticket's last message.
 */
export async function passedMessages(
  db: Db | Tx,
  messages: readonly Message[],
): Promise<Map<number, number>> {
  if (messages.length === 0) return new Map();
  const wanted = JSON.stringify(messages.map(({ id, ticketId }) => ({ id, ticketId })));
  const rows = await db.execute<{ id: number; last: number }>(sql`
    select i.id, t.last_message_id as last
    from json_to_recordset(${wanted}::json) as i (id int, "ticketId" int)
    -- "offset 0" has each line looked up by primary key, where PostgreSQL might read whole tables to join
    -- them.
    cross join lateral (select last_message_id from tickets where id = i."ticketId" offset 0) t
    where t.last_message_id > i.id and not exists (select from messages m where m.id = i.id offset 0)`);
  return new Map(rows.map(({ id, last }) => [id, last]));
}

/** Holds the tickets of a batch until it is committed. Locks are taken by id, as every writer does. */
export async function lockTickets(tx: Tx, messages: readonly Message[]): Promise<void> {
  const ids = JSON.stringify(messages.map(({ ticketId }) => ticketId));
  await tx.execute(sql`
    select from tickets where id = any (array(select value::int from json_array_elements_text(${ids}::json)))
    order by id for no key update`);
}

/**
 * Readers page with `messages(after:)` and writers compare with `ifLastMessage`: both miss a message whose id
 * is lower than one that they
 * have seen. A batch is one commit, so its lines may stand in any order; later batches must go on from there.
 */
export class MessageOrder {
  readonly #db: Db;
  /** The highest id of each ticket in the batches before. */
  readonly #last = new Map<number, number>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** What is wrong with a message of the batch, if anything. */
  async check(batch: readonly Message[]): Promise<(message: Message) => string | undefined> {
    const passed = await passedMessages(this.#db, batch);
    const before = new Map(batch.map(({ ticketId }) => [ticketId, this.#last.get(ticketId) ?? 0]));
    for (const { id, ticketId } of batch)
      this.#last.set(ticketId, Math.max(id, this.#last.get(ticketId) ?? 0));
    return ({ id, ticketId }) => {
      const last = passed.get(id) ?? before.get(ticketId)!;
      return last > id
        ? `the ticket ${ticketId} has the later message ${last} already: ` +
            'whoever has read that one would miss this one'
        : undefined;
    };
  }
}
