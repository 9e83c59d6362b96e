/**
 * What was found for the texts that were asked about last. Two generations: when the young one is full the old one is forgotten, so
 * that a text in use stays and a lookup moves nothing.
 */
export class Recent<V> {
  readonly #limit: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /** @param limit texts of a generation */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(text: string): V | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.put(text, old);
    return old;
  }

  put(text: string, value: V): void {
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
  }
}

/** The same function, computed once for a text that comes again. @param longest characters of a text that is remembered */
export function remembering<V extends {}>(
  compute: (text: string) => V,
  { texts, longest }: { texts: number; longest: number },
): (text: string) => V {
  const recent = new Recent<V>(texts);
  return (text) => {
    if (text.length > longest) return compute(text);
    let value = recent.get(text);
    if (value === undefined) {
      value = compute(text);
      recent.put(text, value);
    }
    return value;
  };
}
