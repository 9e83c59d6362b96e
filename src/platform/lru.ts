interface Weighed<V> {
  readonly value: V;
  readonly weight: number;
}

/**
 * What was found for the texts that were asked about last. Two generations: when the young one is full the
 * old one is forgotten, so that a text in use stays and a lookup moves nothing.
 */
export class Recent<V> {
  readonly #limit: number;
  #young = new Map<string, Weighed<V>>();
  #old = new Map<string, Weighed<V>>();
  #weight = 0;

  /** @param limit weight of a generation: texts, unless they are put with weights of their own */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(text: string): V | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young.value;
    const old = this.#old.get(text);
    if (old === undefined) return undefined;
    const { value, weight } = old;
    this.put(text, value, weight);
    return value;
  }

  put(text: string, value: V, weight = 1): void {
    if (this.#weight >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#weight = 0;
    }
    this.#young.set(text, { value, weight });
    this.#weight += weight;
  }
}

/**
 * The same function, computed once for a text that comes again. @param longest characters of a text that is
 * remembered
 */
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
