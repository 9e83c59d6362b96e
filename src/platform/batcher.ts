import { setTimeout as sleep } from 'node:timers/promises';
import { mayBeOfOneRow } from './database-faults.ts';

interface Call<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Creates a function whose calls run in batches. A call that is made while fewer than `atOnce` batches run
 * starts one at the end of this turn of the event loop, together with the turn's other calls. Later calls
 * wait and form the next batch, in the order of the calls. So many calls share one commit, and a single call
 * hardly waits.
 * @param run returns the results in the order of its items; when it rejects, each call of the batch rejects
 *   with the same error, unless `mayBeOfOne`
 * @param options `maxItems`: maximum items of a batch, 100 by default; `weigh`: an item's weight, 0 by
 *   default, must not throw; `maxWeight`: maximum weight of a batch of several items, unlimited by default;
 *   `atOnce`: maximum concurrent batches, 1 by default; `gatherMilliseconds`: how long to wait for more calls
 *   after a batch of several, which makes fewer commits for results that need not be fast, 0 by default;
 *   `mayBeOfOne`: whether a single item may be the reason of an error, and nothing was done. Each item of the
 *   batch is run by itself then, so that the others do not fail with it; never by default
 * @returns takes one item, and resolves to its result, or rejects with the error of its batch
 */
export function createBatcher<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  {
    maxItems = 100,
    weigh,
    maxWeight = Infinity,
    gatherMilliseconds = 0,
    atOnce = 1,
    mayBeOfOne = () => false,
  }: {
    maxItems?: number;
    weigh?: (item: Item) => number;
    maxWeight?: number;
    gatherMilliseconds?: number;
    atOnce?: number;
    mayBeOfOne?: (error: unknown) => boolean;
  } = {},
): (item: Item) => Promise<Answer> {
  const waiting: Call<Item, Answer>[] = [];
  let running = 0;

  function next() {
    let weight = 0;
    let count = 0;
    while (count < Math.min(waiting.length, maxItems)) {
      weight += weigh?.(waiting[count]!.item) ?? 0;
      if (count > 0 && weight > maxWeight) break;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  async function answer(batch: readonly Call<Item, Answer>[]): Promise<void> {
    try {
      const answers = await run(batch.map(({ item }) => item));
      for (const [n, { resolve }] of batch.entries()) resolve(answers[n]!);
    } catch (error) {
      if (batch.length > 1 && mayBeOfOne(error)) for (const one of batch) await answer([one]);
      else for (const { reject } of batch) reject(error);
    }
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = next();
      await answer(batch);
      if (gatherMilliseconds > 0 && batch.length > 1) await sleep(gatherMilliseconds);
    }
    running -= 1;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (running >= atOnce) return;
      running += 1;
      // Calls of the same turn of the event loop join the batch.
      setImmediate(drain);
    });
}

/**
 * Runs a statement for many items at once. If the server rejects it for a reason that may lie in one of them,
 * it is run for each half by itself, and so on, so that such an item holds up no other.
 * @param run must have written nothing when it rejects
 * @param failed called with each item that is rejected by itself
 * @returns the results of the others, in order
 * @throws any other error of `run`
 */
export async function sparingOthers<Item, Result>(
  items: readonly Item[],
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  failed: (item: Item, error: unknown) => void,
): Promise<Result[]> {
  if (items.length === 0) return [];
  try {
    return [...(await run(items))];
  } catch (error) {
    if (!mayBeOfOneRow(error)) throw error;
    if (items.length === 1) {
      failed(items[0]!, error);
      return [];
    }
    const half = Math.ceil(items.length / 2);
    const first = await sparingOthers(items.slice(0, half), run, failed);
    return [...first, ...(await sparingOthers(items.slice(half), run, failed))];
  }
}
