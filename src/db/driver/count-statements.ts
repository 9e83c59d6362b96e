import type postgres from 'postgres';

type Statement = PromiseLike<unknown> & { execute?: unknown };

/**
 * Wraps a pool so that its pending statements and transactions are counted. A query of the driver is sent
 * when it is awaited or executed, and may be a part of another query that never is, so it is counted then.
 * @param load its `underway` is the number of pending statements
 */
export function countStatements(pool: postgres.Sql, load: { underway: number }): postgres.Sql {
  const end = () => {
    load.underway -= 1;
  };

  function counted<T extends Statement>(query: T): T {
    const { then } = query;
    let isCounted = false;
    const count = () => {
      if (isCounted) return;
      isCounted = true;
      load.underway += 1;
      then.call(query, end, end);
    };
    return Object.assign(query, {
      // biome-ignore lint/suspicious/noThenProperty: the driver's own sends the query.
      then(...on: Parameters<PromiseLike<unknown>['then']>) {
        count();
        return then.apply(query, on);
      },
      execute() {
        count();
        return query;
      },
    });
  }

  const unsafe = (...args: Parameters<postgres.Sql['unsafe']>) => counted(pool.unsafe(...args));
  function begin(...args: Parameters<postgres.Sql['begin']>) {
    const transaction = pool.begin(...args);
    load.underway += 1;
    transaction.then(end, end);
    return transaction;
  }

  return new Proxy(pool, {
    get: (of, name) => (name === 'unsafe' ? unsafe : name === 'begin' ? begin : Reflect.get(of, name)),
    // A tagged template is a query; what is called otherwise writes a value or an identifier.
    apply(of, self, args) {
      const made = Reflect.apply(of, self, args as Parameters<typeof of>) as never;
      return Array.isArray(args[0]?.raw) ? counted(made) : made;
    },
  });
}
