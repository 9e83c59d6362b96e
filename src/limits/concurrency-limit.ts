import { TooMany, type TooManyCode } from '../platform/errors.ts';

/** Limits how many subscriptions, or forms with files, each user may have open in this process. */
export class ConcurrencyLimit {
  readonly #code: TooManyCode;
  readonly #most: number;
  readonly #taken = new Map<number, number>();

  constructor(code: TooManyCode, most: number) {
    this.#code = code;
    this.#most = most;
  }

  /**
   * Takes a place of this user.
   * @returns a disposable that frees the place
   * @throws TooMany
   */
  take(userId: number): Disposable {
    const taken = this.#taken.get(userId) ?? 0;
    if (taken >= this.#most) throw new TooMany(this.#code, this.#most);
    this.#taken.set(userId, taken + 1);
    return { [Symbol.dispose]: () => this.#giveBack(userId) };
  }

  #giveBack(userId: number): void {
    const left = this.#taken.get(userId)! - 1;
    if (left > 0) this.#taken.set(userId, left);
    else this.#taken.delete(userId);
  }
}
