import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls that come while one is under way wait and go together as the next: one commit for many, and no delay
 * for a lone one.
 * @param weigh what an item weighs, when a batch may not weigh more than `maxWeight`; one item always may
 * @param atOnce batches under way at most before callers wait
 * @param gatherMilliseconds how long a batch that follows one of several calls waits for company: fewer
 * commits, for answers that nobody waits for
 * @param run answers its items in their order; when it rejects, each of its callers is rejected
 */
export function createBatcher<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  {
    maxItems = 100,
    weigh = () => 0,
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
      weight += weigh(waiting[count]!.item);
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
      // Whoever asks in this turn of the event loop joins.
      setImmediate(drain);
    });
}
