import { mayBeOfOneRow } from '../../platform/database-faults.ts';

/**
 * Runs a statement for many items at once. If the server rejects it for a reason that may lie in one of them,
 * it is run for each by itself, so that such an item holds up no other.
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
    if (items.length === 1) failed(items[0]!, error);
    const results: Result[] = [];
    if (items.length > 1)
      for (const item of items) results.push(...(await sparingOthers([item], run, failed)));
    return results;
  }
}
