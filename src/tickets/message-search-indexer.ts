import { sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { preparePerPool } from '../db/prepare-per-pool.ts';
import { createInterruptibleSleep } from '../platform/interruptible-sleep.ts';
import type { Logger } from '../platform/log.ts';

/** Most messages that one statement indexes. It takes about 20 ms, during which `deskEvents` have to wait. */
const atOnce = 200;
/** Most rows that one statement re-indexes. They cost more: each is read twice, and replaced. */
const renewedAtOnce = 50;
/** Milliseconds between two statements that re-index, so that other work goes first. */
const betweenMs = 20;
/**
 * Milliseconds between two statements that found little to do. A search reads the bodies of the 1,000 newest
 * messages that lack their words, so it misses nothing below 500 messages a second.
 */
const everyMs = 2000;
/** Milliseconds between two tries to index messages that could not be indexed. */
const retryLostMs = 60_000;
/** Most messages of one such try. */
const retriedAtOnce = 20;

const fill = preparePerPool((db: Db) =>
  db
    .select({ lacked: sql<number>`fill_message_search(${sql.placeholder('most')}::int)` })
    .from(sql`(select) as nothing`)
    .prepare('fill_message_search'),
);

const renew = preparePerPool((db: Db) =>
  db
    .select({ read: sql<number | null>`renew_search_words(${sql.placeholder('most')}::int)` })
    .from(sql`(select) as nothing`)
    .prepare('renew_search_words'),
);

const retryLost = preparePerPool((db: Db) =>
  db
    .select({ messageId: sql<number>`lost.message`, code: sql<string>`lost.code` })
    .from(sql`retry_lost_words(${sql.placeholder('most')}::int) as lost`)
    .prepare('retry_lost_words'),
);

/**
 * Starts a loop that indexes the words of new messages for searches: every two seconds, or without
 * a pause while 200 or more are left. Searches also read the bodies of the 1,000 newest messages that are not
 * indexed yet, so a new message is found at once. After an upgrade that changes how texts become words, the
 * loop also re-indexes all tickets, then all messages, the newest first; until it has, searches may miss some
 * of them. A message whose words cannot be made, perhaps because its body is damaged, is passed over: each
 * process logs it once, and it is tried again each minute. Any number of processes may run the loop: the SQL
 * functions let one write at a time, and the others find nothing to do. Failures are logged, and tried again
 * after two seconds. Disposing of it stops the loop, and waits for the statement in progress.
 */
export function startMessageSearchIndexer(db: Db, log: Logger): AsyncDisposable {
  const pause = createInterruptibleSleep();
  let stopping = false;
  let renewed = 0;
  let retriedAt = Number.NEGATIVE_INFINITY;
  const lost = new Set<number>();

  async function run(): Promise<void> {
    while (!stopping) {
      const waitMs = await step();
      if (waitMs > 0 && !stopping) await pause.sleep(waitMs);
    }
  }

  /** @returns milliseconds to wait before the next one */
  async function step(): Promise<number> {
    try {
      const [row] = await fill(db).execute({ most: atOnce });
      if (row!.lacked === atOnce) return 0;
      if (await renewSome()) return betweenMs;
      if (performance.now() - retriedAt >= retryLostMs) await retryLostWords();
      return everyMs;
    } catch (err) {
      log.error({ err }, 'indexing messages for search failed; searches read the newest bodies instead');
      return everyMs;
    }
  }

  /** @returns whether it has written any, so that there may be more */
  async function renewSome(): Promise<boolean> {
    const [row] = await renew(db).execute({ most: renewedAtOnce });
    const { read } = row!;
    if (read === null) return false;
    if (read > 0 && renewed === 0)
      log.info('re-indexing all tickets and messages for search; until this is done, searches may miss some');
    if (read === 0 && renewed > 0)
      log.info({ read: renewed }, 'all tickets and messages have been re-indexed for search');
    renewed = read === 0 ? 0 : renewed + read;
    return read > 0;
  }

  async function retryLostWords(): Promise<void> {
    retriedAt = performance.now();
    for (const { messageId, code } of await retryLost(db).execute({ most: retriedAtOnce })) {
      if (!lost.has(messageId))
        log.warn({ messageId, code }, 'searches do not find a message: its words cannot be indexed');
      lost.add(messageId);
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
