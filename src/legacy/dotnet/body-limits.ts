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
  /**
   * Maximum characters (UTF-16 units) of one string in memory, such as a message or a name. Files do not
   * count.
   */
  readonly textChars: number;
  /** Maximum number of values in all lists together, as `Budget` counts them. */
  readonly values: number;
  /** Maximum number of errors that are recorded. */
  readonly errors: number;
  /** Maximum characters of the paths of all errors together. */
  readonly errorChars: number;
}
/** The limits in use. */
export const bodyLimits: BodyLimits = {
  textChars: 8 << 20,
  values: 1_000_000,
  errors: 1_000,
  errorChars: 20_000,
};

/**
 * What an attachment in a list counts in a `Budget`: its memory, in values of eight bytes. A value with a
 * name that a later one may refer to counts as much again.
 */
export const objectValues = 16;

/** Bounds the memory of all lists of a body, because an empty item takes only a few characters of it. */
export class Budget {
  #left: number;

  /** @param values how many values may be counted */
  constructor(values: number) {
    this.#left = values;
  }

  /**
   * Counts values.
   * @throws TooLarge when more have been counted than allowed
   */
  spend(values: number): void {
    this.#left -= values;
    if (this.#left < 0) throw new TooLarge();
  }
}
