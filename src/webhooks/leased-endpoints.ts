import { and, eq, getTableColumns, gt, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { auditEntries, webhooks } from '../db/tables.ts';
import type { DeskPosition } from '../tickets/events/desk-cursor.ts';
import { failingDays, mostRetryAfterSeconds } from './reply-verdict.ts';

/** An endpoint that a worker sends to, as its row says now. */
export type Endpoint = typeof webhooks.$inferSelect & {
  /** Milliseconds until the next request may be sent; 0 if it may be sent now. */
  readonly dueInMs: number;
};

/**
 * A worker's lease of an endpoint. The functions here that take one change nothing once another worker has
 * claimed the endpoint. Once it was disabled, all but `releaseEndpoint` change nothing either.
 */
export interface Lease {
  readonly id: number;
  readonly token: string;
}

const clock = sql`clock_timestamp()`;
const inMs = (ms: number): SQL => sql`${clock} + ${ms}::float8 * interval '1 millisecond'`;
// Nothing waits or is leased for longer than this. What is later was written before the clock was set back.
const latest = sql`${clock} + make_interval(secs => ${mostRetryAfterSeconds})`;
const columns = {
  ...getTableColumns(webhooks),
  dueInMs: sql<number>`case when ${webhooks.dueAt} > ${latest} then 0 else
    greatest(0, extract(epoch from ${webhooks.dueAt} - ${clock}) * 1000)::float8 end`,
};
const held = ({ id, token }: Lease) => and(eq(webhooks.id, id), eq(webhooks.leaseToken, token));
const owned = (lease: Lease) => and(held(lease), isNull(webhooks.disabledAt));
const to = ([place, ticketId, number]: DeskPosition) => ({ place, ticketId, number });

/**
 * Leases every enabled endpoint that no live worker has, so that one worker at a time sends to each.
 * @param leaseMs milliseconds until the leases expire
 * @returns the endpoints, whose `leaseToken` is the token of the lease; empty when there are none
 */
export const claimEndpoints = (db: Db, leaseMs: number): Promise<Endpoint[]> => {
  const free = or(
    isNull(webhooks.leaseToken),
    lt(webhooks.leaseUntil, clock),
    gt(webhooks.leaseUntil, latest),
  );
  const ids = db
    .select({ id: webhooks.id })
    .from(webhooks)
    .where(and(isNull(webhooks.disabledAt), free))
    .for('no key update', { skipLocked: true });
  return db
    .update(webhooks)
    .set({ leaseToken: sql`gen_random_uuid()`, leaseUntil: inMs(leaseMs) })
    .where(sql`${webhooks.id} in ${ids}`)
    .returning(columns);
};

/**
 * Extends a lease.
 * @param leaseMs milliseconds from now until it expires
 * @returns false when another worker has the endpoint, or the endpoint was disabled or removed
 */
export async function renewLease(db: Db, lease: Lease, leaseMs: number): Promise<boolean> {
  const renewed = await db
    .update(webhooks)
    .set({ leaseUntil: inMs(leaseMs) })
    .where(owned(lease))
    .returning({ id: webhooks.id });
  return renewed.length > 0;
}

/** Releases an endpoint, unless the lease is lost already. The next worker continues at this position. */
export async function releaseEndpoint(db: Db, lease: Lease, position: DeskPosition): Promise<void> {
  const released = { ...to(position), leaseToken: null };
  await db.update(webhooks).set(released).where(held(lease));
}

/** The endpoint as it is now; undefined when the lease is lost, or the endpoint was disabled or removed. */
export async function findLeased(db: Db, lease: Lease): Promise<Endpoint | undefined> {
  const [found] = await db.select(columns).from(webhooks).where(owned(lease));
  return found;
}

/** Records that each event up to a position was delivered, or does not match the filter. */
export async function recordPosition(db: Db, lease: Lease, position: DeskPosition): Promise<void> {
  await db.update(webhooks).set(to(position)).where(owned(lease));
}

/** Records a request that succeeded, and the position of its event. The endpoint is not FAILING any more. */
export async function recordDelivery(db: Db, lease: Lease, position: DeskPosition): Promise<void> {
  await db
    .update(webhooks)
    .set({
      ...to(position),
      failures: 0,
      failingSince: null,
      lastError: null,
      delivered: sql`${webhooks.delivered} + 1`,
      lastDeliveredAt: clock,
    })
    .where(owned(lease));
}

/**
 * Records a request that failed. The next is due in `retryMs` milliseconds, and the position stays. An
 * endpoint that has failed for more than `failingDays` is disabled, with an audit entry.
 * @returns whether this disabled the endpoint; false also when the lease is lost
 */
export async function recordFailure(
  db: Db,
  lease: Lease,
  { error, retryMs }: { readonly error: string; readonly retryMs: number },
): Promise<boolean> {
  const since = sql`coalesce(${webhooks.failingSince}, clock_timestamp())`;
  const isOver = sql`${webhooks.failingSince} < clock_timestamp() - make_interval(days => ${failingDays})`;
  return db.transaction(async (tx) => {
    const [row] = await tx
      .update(webhooks)
      .set({
        failures: sql`${webhooks.failures} + 1`,
        failingSince: since,
        dueAt: inMs(retryMs),
        lastError: error,
        disabledAt: sql`case when ${isOver} then clock_timestamp() end`,
        disabledReason: sql`case when ${isOver} then 'FAILING' end`,
      })
      .where(owned(lease))
      .returning({ disabledAt: webhooks.disabledAt });
    if (row === undefined || row.disabledAt === null) return false;
    await tx.insert(auditEntries).values(disabled(lease.id, 'FAILING'));
    return true;
  });
}

/**
 * Records that an event is never sent, because it cannot be read: its position, as if it were delivered, and
 * an audit entry. `lastError` names it until the next delivery.
 */
export async function recordSkip(
  db: Db,
  lease: Lease,
  { position, ...skipped }: { position: DeskPosition; ticketId: number; eventId: string },
): Promise<void> {
  await db.transaction(async (tx) => {
    const passed = await tx
      .update(webhooks)
      .set({
        ...to(position),
        failures: 0,
        failingSince: null,
        dueAt: clock,
        lastError: `${skipped.eventId} was skipped: it cannot be read`,
      })
      .where(owned(lease))
      .returning({ id: webhooks.id });
    const { ticketId, eventId } = skipped;
    const details = { by: 'worker', webhookId: lease.id, eventId };
    if (passed.length > 0)
      await tx.insert(auditEntries).values({ action: 'WEBHOOK_EVENT_SKIPPED', ticketId, details });
  });
}

/** Disables an endpoint that has answered 410 Gone, with an audit entry. */
export async function recordGone(db: Db, lease: Lease): Promise<void> {
  await db.transaction(async (tx) => {
    const gone = await tx
      .update(webhooks)
      .set({ disabledAt: clock, disabledReason: 'GONE', lastError: 'status 410' })
      .where(owned(lease))
      .returning({ id: webhooks.id });
    if (gone.length > 0) await tx.insert(auditEntries).values(disabled(lease.id, 'GONE'));
  });
}

const disabled = (webhookId: number, reason: 'GONE' | 'FAILING') => ({
  action: 'WEBHOOK_DISABLED',
  details: { by: 'worker', webhookId, reason },
});
