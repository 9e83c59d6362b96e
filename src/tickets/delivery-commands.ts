import type postgres from 'postgres';
import { asUnavailable } from '../database-faults.ts';
import { Refusal } from '../errors.ts';
import { appendDeliveryEvents } from '../events/append.ts';
import type { DeliveryState, EventType } from '../vocabulary.ts';
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
  readonly recipients: { readonly from: readonly string[]; readonly to: string };
  /** The state when any recipient is left to be mailed. */
  readonly pending: DeliveryState;
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
    pending: 'QUEUED',
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
    pending: 'CANCELLED',
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
    pending: 'QUEUED',
  });

async function change(ctx: DeskContext, deliveryId: number, what: Change): Promise<Delivery> {
  const viewer = requireViewer(ctx);
  if (!isOperator(viewer)) throw new Refusal('FORBIDDEN', 'Only operators may do this');
  assertScope(viewer, 'mail');
  const [row] = await write(ctx.desk.database.raw, deliveryId, viewer.userId, what).catch((error) => {
    throw asUnavailable(error);
  });
  if (row === undefined)
    throw new Refusal('DELIVERY_NOT_FOUND', 'There is no such delivery', undefined, ['delivery']);
  if (!row.granted) throw new Refusal('FORBIDDEN', 'You may not send from the mailbox of this delivery');
  if (!row.changed) {
    const message = `This cannot be done to a delivery that is ${row.before}`;
    throw new Refusal('DELIVERY_STATE', message, { state: row.before }, ['delivery']);
  }
  const delivery = (await loadDeliveries(ctx, [deliveryId])).get(deliveryId);
  if (delivery === undefined) throw new Error(`delivery ${deliveryId} is gone`);
  return delivery;
}

/** One statement, one commit: delivery, recipients, audit entry, event. Of two who ask at once, one is refused by the state that the other made. */
const write = (sql: postgres.Sql, deliveryId: number, actorId: number, what: Change) => sql<
  { before: DeliveryState; granted: boolean; changed: boolean }[]
>`
  with locked_tickets as (
    select t.id, t.last_event_number from tickets t
    where t.id = (select ticket_id from deliveries where id = ${deliveryId}) for no key update
  ), owned as (
    select d.* from deliveries d where d.id = ${deliveryId} and d.ticket_id in (select id from locked_tickets) for no key update of d
  ), granted as (
    select o.id from owned o where not ${what.sends}::bool
      or exists (select from mailbox_grants g where g.mailbox_id = o.mailbox_id and g.user_id = ${actorId})
  ), fit as (
    select o.* from owned o join granted g on g.id = o.id where o.state = any (${what.from}::text[])
  ), states as (
    select f.id, r.position,
      case when r.state = any (${what.recipients.from}::text[]) then ${what.recipients.to}::text else r.state end as state
    from fit f join delivery_recipients r on r.delivery_id = f.id
  ), told as (
    update delivery_recipients r
    set state = s.state, smtp_reply = case when s.state = 'PENDING' then null else r.smtp_reply end,
      enhanced_code = case when s.state = 'PENDING' then null else r.enhanced_code end,
      sent_at = case when s.state = 'SENT' then clock_timestamp() else r.sent_at end
    from states s where r.delivery_id = s.id and r.position = s.position and r.state <> s.state
  ), result as (
    select f.id, case
        when ${what.pending}::text = 'CANCELLED' or bool_or(s.state in ('PENDING', 'DEFERRED')) then ${what.pending}::text
        when not bool_or(s.state = 'FAILED') then 'SENT'
        when bool_or(s.state = 'SENT') then 'PARTIALLY_FAILED'
        else 'FAILED'
      end as state
    from fit f join states s on s.id = f.id group by f.id
  ), changed as (
    update deliveries d
    set state = r.state, due_at = case when r.state = 'QUEUED' then least(d.due_at, now()) else d.due_at end, give_up_at = null,
      failure = case when r.state = 'CANCELLED' then 'Cancelled by an operator' when r.state in ('QUEUED', 'SENT') then null else d.failure end,
      settled_at = case when r.state = 'QUEUED' then null else clock_timestamp() end, cancel_if = '{}'
    from result r where d.id = r.id
  ), audited as (
    insert into audit_entries (actor_id, action, ticket_id, message_id, delivery_id, details)
    select ${actorId}, ${what.action}, ticket_id, message_id, id, jsonb_build_object('from', state) || ${JSON.stringify(what.details)}::text::jsonb from fit
  ), happened as (
    select ticket_id, id as delivery_id, message_id, ${what.event}::text as type, ${actorId}::int as actor_id from fit
  ), ${appendDeliveryEvents(sql)}, called as (
    select pg_notify('ticketwire_outbox', '') where exists (select from result where state = 'QUEUED')
  )
  select o.state as before, exists (select from granted) as granted, exists (select from fit) as changed, (select count(*) from woken) + (select count(*) from called) as woken from owned o`;
