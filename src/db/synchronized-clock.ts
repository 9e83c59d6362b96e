import type postgres from 'postgres';
import type { Logger } from '../platform/log.ts';

/** Milliseconds between two readings of the database's clock. */
const readEveryMs = 15_000;
/** A clock difference that is logged, milliseconds. */
const notableMs = 2000;

/**
 * Creates a clock that shows the database's time, so that all processes agree on what is due, however wrong
 * their machines' clocks are. It reads the database's clock at once, and then every 15 s until it is disposed
 * of. Between two readings, time passes by this process's monotonic clock. The clock is ahead by one round
 * trip at most, so that a row that was just written is due. A difference to this machine's clock of 2 s or
 * more is logged as a warning, and again when it changes by as much.
 * @throws an error of the driver when the first reading fails; later failures are only logged (debug)
 */
export async function createClock(sql: postgres.Sql, log: Logger): Promise<Disposable & { now(): Date }> {
  let base = { at: Date.now(), from: performance.now() };
  let loggedMs = 0;
  async function read(): Promise<void> {
    const from = performance.now();
    const rows = await sql<
      { at: number }[]
    >`select (extract(epoch from clock_timestamp()) * 1000)::float8 as at`;
    base = { at: rows[0]!.at, from };
    const offMs = Math.round(Date.now() - base.at);
    if (Math.abs(offMs - loggedMs) < notableMs) return;
    loggedMs = offMs;
    log.warn({ offMs }, "this machine's clock differs from the database's, which decides what is due");
  }
  await read();
  // The first reading's round trip included opening the connection, by which the clock would be ahead.
  await read();
  const timer = setInterval(() => {
    read().catch((err) => log.debug({ err }, "reading the database's clock failed"));
  }, readEveryMs).unref();
  return {
    now: () => new Date(base.at + performance.now() - base.from),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
