import { countStatements, type StatementCounter } from '../../graphql/statement-counter.ts';
import { createTestDatabase } from '../database.ts';
import { type Gateway, startGateway } from '../gateway.ts';

/** A gateway, and what is executed on its database. */
export interface CountedGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly counter: StatementCounter;
}

/**
 * Starts a gateway on a demo desk and counts its statements.
 * @param options `now` is its clock. It stands still unless given: a credential is looked up again by a
 *   statement of its own every ten seconds
 */
export async function startCountedGateway({
  env = {},
  now,
}: {
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: () => Date;
} = {}): Promise<CountedGateway> {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await createTestDatabase('demo'));
  const counter = parts.use(await countStatements(database.connection));
  const connections = { gateway: counter.connection, owner: database.ownerConnection };
  const start = new Date();
  const overrides = { connections, now: now ?? (() => start) };
  const gateway = parts.use(await startGateway({ database, env: { ROLES: 'web', ...env }, overrides }));
  const held = parts.move();
  return { gateway, counter, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
