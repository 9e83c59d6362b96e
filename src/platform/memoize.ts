import { LRUCache } from 'lru-cache';

/**
 * Memoizes a function of a text. The least recently used results are dropped first. What `compute` throws is
 * thrown and not cached.
 * @param options `texts`: maximum number of cached results; `longest`: maximum characters of a text whose
 *   result is cached
 * @returns the memoized function
 */
export function memoize<V extends {}>(
  compute: (text: string) => V,
  { texts, longest }: { texts: number; longest: number },
): (text: string) => V {
  const cache = new LRUCache<string, V>({ max: texts });
  return (text) => {
    if (text.length > longest) return compute(text);
    let value = cache.get(text);
    if (value === undefined) {
      value = compute(text);
      cache.set(text, value);
    }
    return value;
  };
}
