import { randomUUID } from 'node:crypto';
import { asc, eq, sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/database.ts';
import { webhooksChannel } from '../db/notify-channels.ts';
import { webhooks } from '../db/tables.ts';
import type { EventType } from '../platform/vocabulary.ts';
import { lastPlace } from '../tickets/events/read-desk-events.ts';
import type { Reach } from './endpoint-url.ts';
import { type Reply, sendRequest } from './send-request.ts';
import { newSecret, secretsOf, secretText, signedHeaders } from './sign.ts';

/** Hours for which requests are also signed with the previous secret after a rotation, by default. */
export const defaultOverlapHours = 24;

/** Behind every event that can be read now. */
const now = {
  place: lastPlace,
  ticketId: sql`2147483647`,
  number: sql`2147483647`,
} as const;

/** Wakes the workers: there is an endpoint to send to. */
const wakeWorkers = (tx: Tx) => tx.execute(sql`select pg_notify(${webhooksChannel}, '')`);

/** An endpoint to add. */
export interface NewWebhook {
  /** The caller has checked it by `whyNotEndpoint`. */
  readonly url: string;
  /** Null: events of all types. */
  readonly types: readonly EventType[] | null;
  /** Whether it receives events that only operators see as well. */
  readonly includesPrivate: boolean;
}

/**
 * Adds an endpoint, which receives the events from now on, and notifies the workers. Like the other functions
 * here, it writes no audit entry.
 * @returns its id, and the text of its secret (`whsec_…`), which cannot be read later
 */
export async function addWebhook(tx: Tx, { url, types, includesPrivate }: NewWebhook) {
  const secret = newSecret();
  const [added] = await tx
    .insert(webhooks)
    .values({ url, types: types === null ? null : [...types], includesPrivate, secret, ...now })
    .returning({ id: webhooks.id });
  await wakeWorkers(tx);
  return { id: added!.id, secret: secretText(secret) };
}

const state = sql<'ENABLED' | 'FAILING' | 'DISABLED'>`case when ${webhooks.disabledAt} is not null
  then 'DISABLED' when ${webhooks.failures} > 0 then 'FAILING' else 'ENABLED' end`;

/** Counts the endpoints in each state; a state without endpoints is missing. See `listWebhooks`. */
export const countWebhooks = (db: Db) =>
  db.select({ state, webhooks: sql<number>`count(*)::int` }).from(webhooks).groupBy(sql`1`);

/**
 * All endpoints in the order of their ids, without their secrets. `state` is DISABLED if the endpoint was
 * disabled, FAILING from a failed request until the next successful one or until the endpoint is enabled
 * again, and ENABLED otherwise.
 */
export const listWebhooks = (db: Db) =>
  db
    .select({
      id: webhooks.id,
      url: webhooks.url,
      types: webhooks.types,
      includesPrivate: webhooks.includesPrivate,
      state,
      disabledAt: webhooks.disabledAt,
      disabledReason: webhooks.disabledReason,
      delivered: webhooks.delivered,
      lastDeliveredAt: webhooks.lastDeliveredAt,
      failures: webhooks.failures,
      failingSince: webhooks.failingSince,
      lastError: webhooks.lastError,
      dueAt: webhooks.dueAt,
    })
    .from(webhooks)
    .orderBy(asc(webhooks.id));

/**
 * Stops requests to an endpoint. One that is under way is finished. An endpoint that is disabled already
 * stays so, with its first time and reason.
 * @returns false when there is no such endpoint
 */
export async function disableWebhook(tx: Tx, id: number): Promise<boolean> {
  const found = await tx
    .update(webhooks)
    .set({
      disabledAt: sql`coalesce(${webhooks.disabledAt}, clock_timestamp())`,
      disabledReason: sql`coalesce(${webhooks.disabledReason}, 'OPERATOR')`,
    })
    .where(eq(webhooks.id, id))
    .returning({ id: webhooks.id });
  return found.length > 0;
}

/**
 * Enables an endpoint; of one that is merely waiting for a retry, the next request is sent as soon as the
 * transaction commits. Its failures are counted from 0 again, and the workers are notified.
 * @param skipBacklog whether it receives only events from now on, instead of all since the last one delivered
 * @returns whether there is such an endpoint
 */
export async function enableWebhook(tx: Tx, id: number, skipBacklog: boolean): Promise<boolean> {
  const found = await tx
    .update(webhooks)
    .set({
      ...{ disabledAt: null, disabledReason: null, failures: 0, failingSince: null },
      dueAt: sql`clock_timestamp()`,
      // Whoever has it reads the position anew.
      ...(skipBacklog ? { ...now, leaseToken: null } : {}),
    })
    .where(eq(webhooks.id, id))
    .returning({ id: webhooks.id });
  await wakeWorkers(tx);
  return found.length > 0;
}

/**
 * Gives an endpoint a new secret. For `hours` hours, requests are signed with the previous one as well. A
 * secret before that is dropped, even if it was still valid.
 * @param hours a whole number, not negative; 0: the previous secret ends now
 * @returns the text of the new secret (`whsec_…`); undefined when there is no such endpoint
 */
export async function rotateSecret(tx: Tx, id: number, hours: number): Promise<string | undefined> {
  const secret = newSecret();
  const rotated = await tx
    .update(webhooks)
    .set({
      secret,
      previousSecret: sql`${webhooks.secret}`,
      previousSecretUntil: sql`clock_timestamp() + make_interval(hours => ${hours}::int)`,
    })
    .where(eq(webhooks.id, id))
    .returning({ id: webhooks.id });
  return rotated.length > 0 ? secretText(secret) : undefined;
}

/** Removes an endpoint for good. @returns false when no endpoint has this id */
export async function removeWebhook(tx: Tx, id: number): Promise<boolean> {
  const removed = await tx.delete(webhooks).where(eq(webhooks.id, id)).returning({ id: webhooks.id });
  return removed.length > 0;
}

/**
 * Sends an endpoint a signed request of the type `TEST`, whatever its state, and changes nothing.
 * @returns its reply, or why there was none; undefined when there is no such endpoint
 */
export async function testWebhook(db: Db, id: number, reach: Reach): Promise<Reply | undefined> {
  const [found] = await db
    .select({
      url: webhooks.url,
      secret: webhooks.secret,
      previousSecret: webhooks.previousSecret,
      previousSecretUntil: webhooks.previousSecretUntil,
    })
    .from(webhooks)
    .where(eq(webhooks.id, id));
  if (found === undefined) return undefined;
  const at = new Date();
  const body = JSON.stringify({ type: 'TEST', timestamp: at.toISOString(), data: {} });
  const headers = signedHeaders({ id: `test_${randomUUID()}`, at, body }, secretsOf(found, at));
  return sendRequest(found.url, { headers, body }, reach);
}
