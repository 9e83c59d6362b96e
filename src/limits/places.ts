import { TooMany, type TooManyCode } from '../platform/errors.ts';

/** How many of one thing each user may have under way in this process. */
export class Places {
  readonly #code: TooManyCode;
  readonly #most: number;
  readonly #taken = new Map<number, number>();

  constructor(code: TooManyCode, most: number) {
    this.#code = code;
    this.#most = most;
  }

  /** @returns what gives the place back @throws TooMany */
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
