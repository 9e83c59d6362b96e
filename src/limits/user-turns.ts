import { Unavailable } from '../platform/errors.ts';

/** Most turns that one user's work may wait for; a document searches about twenty times. */
const mostWaiting = 100;

interface WaitingWork {
  readonly userId: number;
  readonly begin: () => void;
}

/**
 * Limits how many pieces of costly work run at once in this process, and how many of them are one user's.
 * Others wait for their turn, in the order in which they came.
 */
export class UserTurns {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #running = new Map<number, number>();
  readonly #waiting: WaitingWork[] = [];
  #total = 0;

  constructor(most: number, mostOfOne: number) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  /** Does the work when it is its turn. @throws Unavailable when too much of the user's work waits */
  async run<T>(userId: number, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.filter((one) => one.userId === userId).length >= mostWaiting)
      throw new Unavailable('Too many searches of yours are under way', 5, { nothingWritten: true });
    await new Promise<void>((begin) => {
      this.#waiting.push({ userId, begin });
      this.#beginNext();
    });
    try {
      return await work();
    } finally {
      this.#total -= 1;
      const left = this.#runningOf(userId) - 1;
      if (left > 0) this.#running.set(userId, left);
      else this.#running.delete(userId);
      this.#beginNext();
    }
  }

  #beginNext(): void {
    while (this.#total < this.#most) {
      const at = this.#waiting.findIndex(({ userId }) => this.#runningOf(userId) < this.#mostOfOne);
      if (at < 0) return;
      const [next] = this.#waiting.splice(at, 1) as [WaitingWork];
      this.#total += 1;
      this.#running.set(next.userId, this.#runningOf(next.userId) + 1);
      next.begin();
    }
  }

  readonly #runningOf = (userId: number): number => this.#running.get(userId) ?? 0;
}
