import { TooMany, type TooManyCode } from '../platform/errors.ts';

/**
 * Limits how many things of one kind, such as subscriptions, each user may have open in this process. One
 * more is refused immediately; nothing waits. Users do not count toward each other's limits.
 */
export class ConcurrencyLimit {
  readonly #code: TooManyCode;
  readonly #max: number;
  readonly #taken = new Map<number, number>();

  /**
   * @param code names the kind in the error
   * @param max places of each user, inclusive
   */
  constructor(code: TooManyCode, max: number) {
    this.#code = code;
    this.#max = max;
  }

  /**
   * Takes one of the user's places.
   * @returns a disposable that frees the place; disposing it again has no effect
   * @throws TooMany when all places of the user are taken
   */
  take(userId: number): Disposable {
    const taken = this.#taken.get(userId) ?? 0;
    if (taken >= this.#max) throw new TooMany(this.#code, this.#max);
    this.#taken.set(userId, taken + 1);
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#giveBack(userId);
        isTaken = false;
      },
    };
  }

  #giveBack(userId: number): void {
    const left = this.#taken.get(userId)! - 1;
    if (left > 0) this.#taken.set(userId, left);
    else this.#taken.delete(userId);
  }
}
