import type postgres from 'postgres';
import type { AttemptPhase, DeliveryState } from '../vocabulary.ts';

interface Mail {
  readonly id: number;
  /** Its own mail, or a later one that may repeat the message below its own text. */
  readonly own: boolean;
  readonly state: DeliveryState;
  readonly phase: AttemptPhase | null;
}

const waiting = new Set<DeliveryState>(['QUEUED', 'HELD', 'DEFERRED']);
/** Up to the fence before its first byte, an attempt is ended by taking its token away: the worker then drops the connection. */
const held = ({ state, phase }: Mail): boolean => state === 'TRANSMITTING' && phase !== 'BODY';

/**
 * What a redaction does to mails, in its transaction and under its ticket's lock: the message's own is cancelled unless it has begun
 * to go out, later ones that quote it are made anew without it, and the kept sources of all of these are deleted.
 * @returns ids of the deliveries that were cancelled
 */
export async function withdrawMails(
  tx: postgres.Sql,
  { ticketId, messageId, quoted }: { ticketId: number; messageId: number; quoted: boolean },
): Promise<number[]> {
  // Each by its index: the ticket may have a hundred thousand mails, and its lock is held.
  const quoting = tx`
    union all select id from deliveries where ticket_id = ${ticketId} and message_id > ${messageId} and quote <> 'NONE'`;
  const mails = await tx<Mail[]>`
    select id, message_id = ${messageId} as own, state, phase from deliveries
    where id = any (array(select id from deliveries where message_id = ${messageId} ${quoted ? quoting : tx``}))
    order by id for no key update`;
  if (mails.length === 0) return [];
  const idsOf = (which: (mail: Mail) => boolean) => mails.filter(which).map(({ id }) => id);
  const cancelled = idsOf((mail) => mail.own && (waiting.has(mail.state) || held(mail)));
  await endAttempts(tx, idsOf(held));
  await cancel(tx, cancelled);
  await tx`delete from delivery_sources where delivery_id = any (${idsOf(() => true)}::int[])`;
  return cancelled;
}

/** Gives the deliveries back, as a worker does that ends: what is still to be sent is composed once more. */
async function endAttempts(tx: postgres.Sql, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await tx`
    update delivery_attempts a set ended_at = clock_timestamp(), outcome = 'QUEUED', reply = 'what it was to send was redacted'
    from deliveries d where d.id = any (${ids}::int[]) and a.delivery_id = d.id and a.token = d.attempt`;
  await tx`
    update deliveries set state = 'QUEUED', attempt = null, phase = null, lease_until = null where id = any (${ids}::int[])`;
  await tx`select pg_notify('ticketwire_outbox', '')`;
}

async function cancel(tx: postgres.Sql, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await tx`
    update deliveries set state = 'CANCELLED', settled_at = clock_timestamp(), failure = 'Not sent: the message was redacted', cancel_if = '{}'
    where id = any (${ids}::int[])`;
  await tx`
    update delivery_recipients set state = 'CANCELLED' where delivery_id = any (${ids}::int[]) and state in ('PENDING', 'DEFERRED')`;
}
