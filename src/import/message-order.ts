import { sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/database.ts';
import type { DeskRecordOf } from './record.ts';

type MessageKey = Pick<DeskRecordOf<'message'>, 'id' | 'ticketId'>;

/**
 * Finds the messages of a batch that are not in the desk yet and whose id is below that of the last message
 * which their ticket has in the desk.
 * @returns a map from the new message's id to the id of its ticket's last message; empty if there is none
 */
export async function passedMessages(
  db: Db | Tx,
  messages: readonly MessageKey[],
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

/**
 * Locks the tickets of a batch until the end of the transaction. Locks are taken in the order of ids, like in
 * every writer.
 */
export async function lockTickets(tx: Tx, messages: readonly MessageKey[]): Promise<void> {
  const ids = JSON.stringify(messages.map(({ ticketId }) => ticketId));
  await tx.execute(sql`
    select from tickets where id = any (array(select value::int from json_array_elements_text(${ids}::json)))
    order by id for no key update`);
}

/**
 * Checks that no new message has an id below that of a message which its ticket has in the desk, or had in an
 * earlier batch. Readers page with `messages(after:)` and writers compare with `ifLastMessage`, and both
 * would miss a new message with an id below one that they have seen. A batch is one commit, so its lines may
 * be in any order.
 */
export class MessageOrder {
  readonly #db: Db;
  /** The highest id of each ticket in earlier batches. */
  readonly #last = new Map<number, number>();

  constructor(db: Db) {
    this.#db = db;
  }

  /**
   * Checks the next batch.
   * @returns a function that returns the problem of a message of this batch as a text; undefined if there is
   *   none
   */
  async check(batch: readonly MessageKey[]): Promise<(message: MessageKey) => string | undefined> {
    const passed = await passedMessages(this.#db, batch);
    const before = new Map(batch.map(({ ticketId }) => [ticketId, this.#last.get(ticketId) ?? 0]));
    for (const { id, ticketId } of batch)
      this.#last.set(ticketId, Math.max(id, this.#last.get(ticketId) ?? 0));
    return ({ id, ticketId }) => {
      const last = passed.get(id) ?? before.get(ticketId)!;
      return last > id
        ? `the ticket ${ticketId} has the later message ${last} already: ` +
            'a client that has read it would miss this one'
        : undefined;
    };
  }
}
