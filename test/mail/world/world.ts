import type { Scope, Viewer } from '../../../src/platform/request-context.ts';
import type { TicketContext } from '../../../src/tickets/context.ts';
import { createTestDatabase } from '../../support/database.ts';
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

/** A desk with a database of its own, a mail server, and workers between them. */
export async function createWorld() {
  const world = await createTestDatabase();
  const sql = world.database.raw;
  await fillDesk(sql);
  const blobs = memoryBlobs();
  const stack = new AsyncDisposableStack();
  stack.use(world);
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
