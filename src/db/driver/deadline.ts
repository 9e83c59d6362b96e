import type postgres from 'postgres';
import { inSpan, type Span, SpanKind } from '../../observe/tracing.ts';
import { Unavailable } from '../../platform/errors.ts';
import { joinPieces } from './join-pieces.ts';

/** Pending statements and transactions of one pool. Above it, callers get `Unavailable` and may retry. */
const maxPending = 5000;

/**
 * Wraps a pool for Drizzle: each statement (`unsafe`) and each whole transaction (`begin` with a function)
 * has a time limit and a span for tracing. The statements within a transaction and the pool's other methods
 * have neither. The limit includes the wait for a connection, for earlier statements on it, and for a server
 * that is frozen or gone; the server's own `statement_timeout` covers only statements that it executes.
 * After the limit, callers get `Unavailable`. Other errors are the driver's.
 *
 * A statement that has been sent may still be executed after that, and a transaction that has begun goes on
 * and may commit. A statement that was not sent is never executed, and neither is a transaction that was not
 * begun. The result of `unsafe` can only be awaited, or its `values()`.
 * @param answerWithinMs the time limit, milliseconds
 * @param load `pending` is kept up to date: the number of statements and transactions that the driver has
 *   not settled, also after their limit. While there are 5000, new ones get `Unavailable`. `pool` names the
 *   pool in traces
 */
export function withDeadline(
  pool: postgres.Sql,
  answerWithinMs: number,
  load: { readonly pool: string; pending: number } = { pool: 'desk', pending: 0 },
): postgres.Sql {
  const spanned = <T>(statement: string, work: () => Promise<T>): Promise<T> =>
    inSpan(() => spanOf(statement, load.pool), work);
  function inTime<T>(start: () => PromiseLike<T>, giveUp: () => void): Promise<T> {
    if (load.pending >= maxPending)
      return Promise.reject(
        new Unavailable('Too many statements are waiting for the database', 2, { nothingWritten: true }),
      );
    load.pending += 1;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Unavailable('The database is not responding', 2));
        giveUp();
      }, answerWithinMs);
      const done = () => {
        clearTimeout(timer);
        load.pending -= 1;
      };
      start().then(
        (value) => {
          done();
          resolve(value);
        },
        (error) => {
          done();
          reject(error);
        },
      );
    });
  }

  /** Supports the two ways in which Drizzle uses a query: it awaits the query, or its `values()`. */
  function unsafe(...args: Parameters<postgres.Sql['unsafe']>) {
    joinPieces(args[0]);
    const query = pool.unsafe(...args);
    const giveUp = () => withdraw(query);
    return {
      values: () => spanned(args[0], () => inTime(() => query.values(), giveUp)),
      // biome-ignore lint/suspicious/noThenProperty: it stands for a query, which is awaited.
      then: (...on: Parameters<Promise<unknown>['then']>) =>
        spanned(args[0], () => inTime(() => query, giveUp)).then(...on),
    };
  }

  function begin(run: (tx: postgres.TransactionSql) => Promise<unknown>) {
    let late = false;
    return spanned('TRANSACTION', () =>
      inTime(
        () =>
          pool.begin((tx) => {
            if (late) throw new Unavailable('The database is not responding', 2);
            return run(tx);
          }),
        () => (late = true),
      ),
    );
  }

  return new Proxy(pool, {
    get: (of, name) => (name === 'unsafe' ? unsafe : name === 'begin' ? begin : Reflect.get(of, name)),
  });
}

/** What the driver keeps of a statement: `state` is null until it is sent, and is built from the others. */
interface DriverStatement {
  readonly state: object | null;
  strings: readonly string[];
  args: readonly unknown[];
}

/**
 * Makes a statement that was not sent do nothing. The driver's `cancel` would take a statement's place: where
 * it waits on a connection for its answer, the next statement there would get it.
 */
function withdraw(query: object): void {
  const kept = query as DriverStatement;
  if (kept.state === null)
    Object.assign(kept, { strings: ['select'], args: [] } satisfies Partial<DriverStatement>);
}

/** The span has the statement's first word only, because the rest may not appear in a trace. */
function spanOf(statement: string, pool: string): Span {
  const operation = (/^\s*([a-z]+)/i.exec(statement)?.[1] ?? 'STATEMENT').toUpperCase();
  return {
    name: `postgresql ${operation}`,
    kind: SpanKind.CLIENT,
    attributes: { 'db.system.name': 'postgresql', 'db.operation.name': operation, 'ticketwire.pool': pool },
  };
}
