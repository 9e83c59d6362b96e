/** The body exceeds one of `BodyLimits`, or the size that a request may have. */
export class TooLarge extends Error {
  constructor() {
    super('Maximum request length exceeded.');
    this.name = 'TooLarge';
  }
}

/**
 * Limits while a body is being read. They are higher than the command's limits, so that a client normally
 * sees the command's refusal.
 */
export interface BodyLimits {
  /** Maximum characters of one string in memory (a message, a name). */
  readonly textChars: number;
  /** Maximum number of values in all lists together. See `Budget`. */
  readonly values: number;
  /** Maximum number of errors, and of the characters of all their paths. */
  readonly errors: number;
  readonly errorChars: number;
}
/** The limits in use. */
export const bodyLimits: BodyLimits = {
  textChars: 8 << 20,
  values: 1_000_000,
  errors: 1_000,
  errorChars: 20_000,
};

/** Memory of an object, in values of eight bytes. The name of a referenced value takes as much. */
export const objectValues = 16;

/** Limits the memory of all lists: an empty item takes only a few characters of a body. */
export class Budget {
  #left: number;

  constructor(values: number) {
    this.#left = values;
  }

  /**
   * Counts values.
   * @throws TooLarge
   */
  spend(values: number): void {
    this.#left -= values;
    if (this.#left < 0) throw new TooLarge();
  }
}
