import { and, asc, desc, eq, gt, inArray, lt, type SQL, sql } from 'drizzle-orm';
import { deliveries, deliveryRecipients } from '../db/tables.ts';
import { Refusal } from '../errors.ts';
import type { DeliveryState } from '../vocabulary.ts';
import type { DeskContext } from './desk.ts';
import { type Delivery, loadDeliveries } from './ledger.ts';
import { isOperator, requireViewer } from './policy.ts';
import type { Page } from './ticket.ts';

/** Conditions that all hold. */
export interface DeliveryFilter {
  readonly states?: readonly DeliveryState[] | null | undefined;
  /** Deliveries of which at least one recipient failed, whatever became of the others. */
  readonly hasFailedRecipient?: boolean | null | undefined;
  readonly ticketId?: number | null | undefined;
  readonly mailboxId?: number | null | undefined;
}

/**
 * A page of deliveries by id.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN: whoever is no operator learns nothing of deliveries, not even how many there are
 */
export async function listDeliveries(
  ctx: DeskContext,
  filter: DeliveryFilter,
  page: Page,
): Promise<Delivery[]> {
  const viewer = requireViewer(ctx, 'read');
  if (!isOperator(viewer)) throw new Refusal('FORBIDDEN', 'Only operators may see deliveries');
  const rows = await ctx.desk.database.readAs(viewer, (db) =>
    db
      .select({ id: deliveries.id })
      .from(deliveries)
      .where(
        and(
          ...conditions(filter),
          page.after === undefined ? undefined : gt(deliveries.id, page.after),
          page.before === undefined ? undefined : lt(deliveries.id, page.before),
        ),
      )
      .orderBy(page.inverted ? desc(deliveries.id) : asc(deliveries.id))
      .limit(page.limit),
  );
  const found = await loadDeliveries(
    ctx,
    rows.map(({ id }) => id),
  );
  return rows.flatMap(({ id }) => found.get(id) ?? []);
}

function conditions({
  states,
  hasFailedRecipient,
  ticketId,
  mailboxId,
}: DeliveryFilter): (SQL | undefined)[] {
  const failed = sql`exists (select from ${deliveryRecipients} r where r.delivery_id = ${deliveries.id} and r.state = 'FAILED')`;
  return [
    states == null ? undefined : states.length === 0 ? sql`false` : inArray(deliveries.state, [...states]),
    hasFailedRecipient == null ? undefined : hasFailedRecipient ? failed : sql`not ${failed}`,
    ticketId == null ? undefined : eq(deliveries.ticketId, ticketId),
    mailboxId == null ? undefined : eq(deliveries.mailboxId, mailboxId),
  ];
}
