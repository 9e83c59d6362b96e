import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Order, Report } from './clients.ts';

/** The process of the readers. */
export class Readers implements Disposable {
  readonly #process: ChildProcess = fork(new URL('clients.ts', import.meta.url));
  readonly #ended: Promise<never> = once(this.#process, 'exit').then(([code, signal]) => {
    throw new Error(`the readers ended with ${signal ?? code}`);
  });

  constructor() {
    this.#ended.catch(() => {});
  }

  async order(order: Order): Promise<Report> {
    const report = this.report();
    this.#process.send(order);
    return report;
  }

  /** Is not answered before all have their events. */
  expect(events: number): void {
    this.#process.send({ kind: 'expect', events } satisfies Order);
  }

  async report(): Promise<Report> {
    const [report] = (await Promise.race([once(this.#process, 'message'), this.#ended])) as [Report];
    return report;
  }

  [Symbol.dispose](): void {
    this.#process.kill();
  }
}
