import type { Scope, Viewer } from '../../../src/platform/request-context.ts';
import type { TicketContext } from '../../../src/tickets/context.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startSmtpSink } from '../../support/servers/smtp-sink.ts';
import { fillDesk, memoryBlobs, queueMail, startWorker } from './desk.ts';

export const operator: Viewer = {
  userId: 1,
  login: 'operator',
  name: 'Olga Operator',
  role: 'OPERATOR',
  scopes: new Set<Scope>(['read', 'write', 'mail']),
};
export const requester: Viewer = { ...operator, userId: 2, login: 'jane', role: 'REQUESTER' };

/**
 * A desk, a mail server, and workers between them.
 * @param database an empty one, which is not disposed of; else one of its own
 */
export async function createWorld(database?: TestDatabase) {
  const stack = new AsyncDisposableStack();
  const world = database ?? stack.use(await createTestDatabase());
  const sql = world.database.raw;
  await fillDesk(sql);
  const blobs = memoryBlobs();
  const sink = stack.use(await startSmtpSink());
  return {
    sql,
    blobs,
    sink,
    database: world.database,
    connection: world.connection,
    ownerConnection: world.ownerConnection,
    asOwner: world.asOwner,
    ctx: { viewer: operator, services: { database: world.database, blobs } } as unknown as TicketContext,
    as: (viewer: Viewer | undefined) =>
      ({ viewer, services: { database: world.database, blobs } }) as unknown as TicketContext,
    queue: (mail = {}) => queueMail(sql, blobs, mail),
    work: (ports = {}) => stack.use(startWorker({ sql, blobs, smtpUrl: sink.url, ...ports })),
    audit: () => sql`select actor_id, action, delivery_id, details from audit_entries order by id`,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
