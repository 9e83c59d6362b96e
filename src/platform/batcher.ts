import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Creates a function whose calls run in batches. A call that is made while nothing runs starts at once; calls
 * that are made while a batch runs form the next one. So many calls share one commit, and a single call does
 * not wait.
 * @param run returns the results in the order of its items; when it rejects, so does each of its calls
 * @param maxItems maximum items of a batch; 100 by default
 * @param weigh an item's weight, which must not throw; a batch of several items may not weigh more than
 *   `maxWeight`
 * @param atOnce maximum concurrent batches; 1 by default
 * @param gatherMilliseconds how long to wait for more calls after a batch of several: fewer commits, for
 *   results that need not be fast
 */
export function createBatcher<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  {
    maxItems = 100,
    weigh,
    maxWeight = Infinity,
    gatherMilliseconds = 0,
    atOnce = 1,
  }: {
    maxItems?: number;
    weigh?: (item: Item) => number;
    maxWeight?: number;
    gatherMilliseconds?: number;
    atOnce?: number;
  } = {},
): (item: Item) => Promise<Answer> {
  const waiting: { item: Item; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];
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

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = next();
      try {
        const answers = await run(batch.map(({ item }) => item));
        for (const [n, { resolve }] of batch.entries()) resolve(answers[n]!);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
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
