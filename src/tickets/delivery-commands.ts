import type postgres from 'postgres';
import { asUnavailable } from '../database-faults.ts';
import { Refusal } from '../errors.ts';
import { appendDeliveryEvents } from '../events/append.ts';
import { stateOf } from '../mail/settlement.ts';
import type { DeliveryState, EventType, RecipientState } from '../vocabulary.ts';
import type { DeskContext } from './desk.ts';
import { type Delivery, loadDeliveries } from './ledger.ts';
import { assertScope, isOperator, requireViewer } from './policy.ts';

export interface DeliveryInput {
  readonly deliveryId: number;
}
export interface ResolveDeliveryInput extends DeliveryInput {
  readonly as: 'ASSUME_SENT' | 'RESEND';
}

/** One change of one delivery, by an operator, where its state allows it. */
interface Change {
  readonly action: string;
  /** Whether a mail goes out by it: that is for those who may send from its mailbox. */
  readonly sends: boolean;
  readonly event: EventType;
  readonly from: readonly DeliveryState[];
  readonly details: Readonly<Record<string, string>>;
  /** The recipients that the change is about, and what they become; the delivery's own state follows from them all. */
  readonly recipients: { readonly from: readonly RecipientState[]; readonly to: RecipientState };
}

/**
 * Sends again to those recipients who failed, and at once what was deferred; whoever has the mail gets no second one. The mail is the
 * same to the byte, its Message-ID included, and has another five days.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, DELIVERY_NOT_FOUND, DELIVERY_STATE
 */
export const retryDelivery = (ctx: DeskContext, { deliveryId }: DeliveryInput): Promise<Delivery> =>
  change(ctx, deliveryId, {
    action: 'DELIVERY_RETRIED',
    sends: true,
    event: 'DELIVERY_RETRIED',
    from: ['FAILED', 'PARTIALLY_FAILED', 'DEFERRED'],
    details: {},
    recipients: { from: ['FAILED', 'DEFERRED'], to: 'PENDING' },
  });

/**
 * Calls off a mail that is held, queued or deferred. Its message stays.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, DELIVERY_NOT_FOUND, DELIVERY_STATE
 */
export const cancelDelivery = (ctx: DeskContext, { deliveryId }: DeliveryInput): Promise<Delivery> =>
  change(ctx, deliveryId, {
    action: 'DELIVERY_CANCELLED',
    sends: false,
    event: 'DELIVERY_CANCELLED',
    from: ['HELD', 'QUEUED', 'DEFERRED'],
    details: {},
    recipients: { from: ['PENDING', 'DEFERRED'], to: 'CANCELLED' },
  });

/**
 * Says what became of a mail whose outcome is unknown. ASSUME_SENT believes that it arrived; RESEND sends it once more with the same
 * Message-ID, so that a recipient who has it already is shown one mail.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, DELIVERY_NOT_FOUND, DELIVERY_STATE
 */
export const resolveDelivery = (
  ctx: DeskContext,
  { deliveryId, as }: ResolveDeliveryInput,
): Promise<Delivery> =>
  change(ctx, deliveryId, {
    action: 'DELIVERY_RESOLVED',
    sends: as === 'RESEND',
    event: 'DELIVERY_RESOLVED',
    from: ['OUTCOME_UNKNOWN'],
    details: { as },
    recipients: { from: ['OUTCOME_UNKNOWN'], to: as === 'RESEND' ? 'PENDING' : 'SENT' },
  });

async function change(ctx: DeskContext, deliveryId: number, what: Change): Promise<Delivery> {
  const viewer = requireViewer(ctx);
  if (!isOperator(viewer)) throw new Refusal('FORBIDDEN', 'Only operators may do this');
  assertScope(viewer, 'mail');
  await ctx.desk.database.raw
    .begin((tx) => apply(tx as unknown as postgres.Sql, deliveryId, viewer.userId, what))
    .catch((error) => {
      throw error instanceof Refusal ? error : asUnavailable(error);
    });
  const delivery = (await loadDeliveries(ctx, [deliveryId])).get(deliveryId);
  if (delivery === undefined) throw new Error(`delivery ${deliveryId} is gone`);
  return delivery;
}

interface Locked {
  readonly before: DeliveryState;
  readonly granted: boolean;
  readonly recipients: readonly { readonly position: number; readonly state: RecipientState }[];
}

/**
 * Delivery, recipients, audit entry and event in one commit. Of two who ask at once, one is refused by the state that the other made.
 * @throws Refusal DELIVERY_NOT_FOUND, FORBIDDEN, DELIVERY_STATE
 */
async function apply(sql: postgres.Sql, deliveryId: number, actorId: number, what: Change): Promise<void> {
  const found = await lock(sql, deliveryId, actorId);
  if (found === undefined)
    throw new Refusal('DELIVERY_NOT_FOUND', 'There is no such delivery', undefined, ['delivery']);
  if (what.sends && !found.granted)
    throw new Refusal('FORBIDDEN', 'You may not send from the mailbox of this delivery');
  if (!what.from.includes(found.before)) {
    const message = `This cannot be done to a delivery that is ${found.before}`;
    throw new Refusal('DELIVERY_STATE', message, { state: found.before }, ['delivery']);
  }
  const concerned = found.recipients.filter(({ state }) => what.recipients.from.includes(state));
  const states = found.recipients.map(({ state }) =>
    what.recipients.from.includes(state) ? what.recipients.to : state,
  );
  const state = stateOf(states, 'QUEUED');
  const positions = concerned.map(({ position }) => position);
  await write(sql, { deliveryId, actorId, what, state, positions, before: found.before });
}

/** The ticket is locked first, as everywhere; what is read after it is fresh. */
async function lock(sql: postgres.Sql, deliveryId: number, actorId: number): Promise<Locked | undefined> {
  await sql`
    select t.id from tickets t where t.id = (select ticket_id from deliveries where id = ${deliveryId}) for no key update`;
  const [row] = await sql<Locked[]>`
    select d.state as before,
      exists (select from mailbox_grants g where g.mailbox_id = d.mailbox_id and g.user_id = ${actorId}) as granted,
      (select json_agg(json_build_object('position', r.position, 'state', r.state) order by r.position)
        from delivery_recipients r where r.delivery_id = d.id) as recipients
    from deliveries d where d.id = ${deliveryId} for no key update of d`;
  return row;
}

interface Changed {
  readonly deliveryId: number;
  readonly actorId: number;
  readonly what: Change;
  readonly before: DeliveryState;
  readonly state: DeliveryState;
  /** The recipients whose state becomes `what.recipients.to`. */
  readonly positions: readonly number[];
}

const write = (sql: postgres.Sql, { deliveryId, actorId, what, before, state, positions }: Changed) => sql`
  with locked_tickets as (
    select t.id, t.last_event_number from tickets t where t.id = (select ticket_id from deliveries where id = ${deliveryId})
  ), told as (
    update delivery_recipients r
    set state = ${what.recipients.to}, smtp_reply = case when ${what.recipients.to} = 'PENDING' then null else r.smtp_reply end,
      enhanced_code = case when ${what.recipients.to} = 'PENDING' then null else r.enhanced_code end,
      sent_at = case when ${what.recipients.to} = 'SENT' then clock_timestamp() else r.sent_at end
    where r.delivery_id = ${deliveryId} and r.position = any (${positions}::int[])
  ), changed as (
    update deliveries d
    set state = ${state}, due_at = case when ${state} = 'QUEUED' then least(d.due_at, now()) else d.due_at end, give_up_at = null,
      failure = case when ${state} = 'CANCELLED' then 'Cancelled by an operator' when ${state} in ('QUEUED', 'SENT') then null else d.failure end,
      settled_at = case when ${state} = 'QUEUED' then null else clock_timestamp() end, cancel_if = '{}'
    where d.id = ${deliveryId}
    returning d.id, d.ticket_id, d.message_id
  ), audited as (
    insert into audit_entries (actor_id, action, ticket_id, message_id, delivery_id, details)
    select ${actorId}, ${what.action}, ticket_id, message_id, id, jsonb_build_object('from', ${before}::text) || ${JSON.stringify(what.details)}::text::jsonb
    from changed
  ), happened as (
    select ticket_id, id as delivery_id, message_id, ${what.event}::text as type, ${actorId}::int as actor_id from changed
  ), ${appendDeliveryEvents(sql)}, called as (
    select pg_notify('ticketwire_outbox', '') from changed where ${state} = 'QUEUED'
  )
  select (select count(*) from woken) + (select count(*) from called) as woken`;
