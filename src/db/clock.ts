import type postgres from 'postgres';
import type { Logger } from '../platform/log.ts';

/** Milliseconds between two looks at the database's clock. */
const lookEveryMs = 15_000;
/** A difference that somebody should know of. */
const notableMs = 2000;

/**
 * The database's clock: what is due is so for all processes at once, however far their machines' clocks are
 * from it or from one another. Between two looks time passes by this process's monotonic clock, which nobody
 * sets. It is ahead by one round trip at most, so that what was written just now is due.
 */
export async function createClock(sql: postgres.Sql, log: Logger): Promise<Disposable & { now(): Date }> {
  let base = { at: Date.now(), from: performance.now() };
  let told = 0;
  async function look(): Promise<void> {
    const from = performance.now();
    const rows = await sql<
      { at: number }[]
    >`select (extract(epoch from clock_timestamp()) * 1000)::float8 as at`;
    base = { at: rows[0]!.at, from };
    const offMs = Math.round(Date.now() - base.at);
    if (Math.abs(offMs - told) < notableMs) return;
    told = offMs;
    log.warn({ offMs }, "this machine's clock is not the database's, which decides what is due");
  }
  await look();
  const timer = setInterval(() => {
    look().catch((err) => log.debug({ err }, "the database's clock could not be read"));
  }, lookEveryMs).unref();
  return {
    now: () => new Date(base.at + performance.now() - base.from),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
