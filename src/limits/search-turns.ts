import { Unavailable } from '../platform/errors.ts';

/** Most turns that one user's work may wait for; a document searches about twenty times. */
const mostWaiting = 100;
/** Milliseconds after which a user is told that none of their work has begun. */
const usualPatienceMs = 15_000;

interface WaitingWork {
  readonly userId: number;
  readonly begin: () => void;
  readonly giveUp: (why: Unavailable) => void;
}

/**
 * Limits how many searches run at once in this process, and how many of them are one user's. Others wait for
 * their turn, in the order in which they came; work of a user who has as many running as allowed is
 * overtaken.
 */
export class SearchTurns {
  readonly #max: number;
  readonly #maxPerUser: number;
  readonly #patienceMs: number;
  readonly #running = new Map<number, number>();
  readonly #waiting: WaitingWork[] = [];
  #total = 0;

  /**
   * @param max how many run at once
   * @param maxPerUser how many of them may be one user's
   * @param patienceMs work that has waited as long is refused, unless other work of its user is running.
   *   Default: 15 s.
   */
  constructor(max: number, maxPerUser: number, patienceMs = usualPatienceMs) {
    this.#max = max;
    this.#maxPerUser = maxPerUser;
    this.#patienceMs = patienceMs;
  }

  /**
   * Does the work when it is its turn, and returns its result. When the work throws Unavailable, all work of
   * the same user that still waits gets the same error: otherwise each would wait for a database that does
   * not answer.
   * @throws what the work throws; Unavailable when 100 others of the user wait, or when it has waited for
   *   `patienceMs` and nothing of the user is running. In both cases it has not begun.
   */
  async run<T>(userId: number, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.filter((one) => one.userId === userId).length >= mostWaiting)
      throw tooMany('Too many searches of yours are under way');
    await this.#turnOf(userId);
    try {
      return await work();
    } catch (error) {
      if (error instanceof Unavailable)
        for (const one of this.#waiting.filter((other) => other.userId === userId)) one.giveUp(error);
      throw error;
    } finally {
      this.#total -= 1;
      const left = this.#runningOf(userId) - 1;
      if (left > 0) this.#running.set(userId, left);
      else this.#running.delete(userId);
      this.#beginNext();
    }
  }

  #turnOf(userId: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const one: WaitingWork = {
        userId,
        begin: () => {
          clearInterval(patience);
          resolve();
        },
        giveUp: (why) => {
          clearInterval(patience);
          this.#waiting.splice(this.#waiting.indexOf(one), 1);
          reject(why);
        },
      };
      const patience = setInterval(() => {
        if (this.#runningOf(userId) === 0) one.giveUp(tooMany('Too many searches are under way'));
      }, this.#patienceMs);
      this.#waiting.push(one);
      this.#beginNext();
    });
  }

  #beginNext(): void {
    while (this.#total < this.#max) {
      const at = this.#waiting.findIndex(({ userId }) => this.#runningOf(userId) < this.#maxPerUser);
      if (at < 0) return;
      const [next] = this.#waiting.splice(at, 1) as [WaitingWork];
      this.#total += 1;
      this.#running.set(next.userId, this.#runningOf(next.userId) + 1);
      next.begin();
    }
  }

  readonly #runningOf = (userId: number): number => this.#running.get(userId) ?? 0;
}

const tooMany = (message: string) => new Unavailable(message, 5, { nothingWritten: true });
