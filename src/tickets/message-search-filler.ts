import { sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { preparedFor } from '../db/prepare-once.ts';
import { createInterruptibleSleep } from '../platform/interruptible-sleep.ts';
import type { Logger } from '../platform/log.ts';

/** Messages whose words one statement writes. It takes some 20 ms, during which `deskEvents` are held. */
const atOnce = 200;
/**
 * Milliseconds between two statements that found little to do. A search reads the bodies of the 1,000 newest
 * messages that lack their words, so it misses nothing below 500 messages a second.
 */
const everyMs = 2000;

const fill = preparedFor((db: Db) =>
  db
    .select({ lacked: sql<number>`fill_message_search(${sql.placeholder('most')}::int)` })
    .from(sql`(select) as nothing`)
    .prepare('fill_message_search'),
);

/**
 * Starts a loop that indexes the words of new messages for operators' searches, every two seconds until it is
 * disposed. Any number of processes may run it: the SQL function lets one write at a time, and the others
 * find nothing to do. Failures are logged and tried again. Disposing of it waits for the statement under way.
 */
export function startMessageSearchFiller(db: Db, log: Logger): AsyncDisposable {
  const pause = createInterruptibleSleep();
  let stopping = false;

  async function run(): Promise<void> {
    while (!stopping) {
      const isBehind = await fillSome();
      if (!isBehind) await pause.sleep(everyMs);
    }
  }

  async function fillSome(): Promise<boolean> {
    try {
      const [row] = await fill(db).execute({ most: atOnce });
      return row!.lacked === atOnce;
    } catch (err) {
      log.error({ err }, 'indexing new messages for search failed; searches read their bodies instead');
      return false;
    }
  }

  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stopping = true;
      pause.wake();
      await running;
    },
  };
}
