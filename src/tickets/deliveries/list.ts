import { and, asc, desc, eq, gt, inArray, lt, type SQL, sql } from 'drizzle-orm';
import { deliveries, deliveryRecipients } from '../../db/tables.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { DeliveryState } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { requireOperator } from '../policy.ts';
import { countUpTo } from '../read/count.ts';
import { type KeysetPage, type PageOf, type Paging, readPage } from '../read/page.ts';
import { type Delivery, loadDeliveries } from './ledger.ts';

/** Which deliveries to list. All conditions have to hold; absent and null ones do not restrict. */
export interface DeliveryFilter {
  /** One of these states. An empty list matches nothing. */
  readonly states?: readonly DeliveryState[] | null | undefined;
  /** Whether at least one recipient failed. */
  readonly hasFailedRecipient?: boolean | null | undefined;
  readonly ticketId?: number | null | undefined;
  readonly mailboxId?: number | null | undefined;
}

/**
 * A page of deliveries, in the order of their ids.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, INVALID_INPUT
 */
export async function listDeliveries(
  ctx: TicketContext,
  filter: DeliveryFilter,
  paging: Paging,
): Promise<PageOf<Delivery>> {
  const viewer = requireLedgerReader(ctx);
  return readPage('deliveries', paging, (page) => deliveriesOf(ctx, viewer, filter, page));
}

/**
 * Number of deliveries on all pages of `listDeliveries`; null when there are more than `maxCount`.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN
 */
export async function countDeliveries(ctx: TicketContext, filter: DeliveryFilter): Promise<number | null> {
  const viewer = requireLedgerReader(ctx);
  return ctx.services.database.readAs(viewer, (db) => countUpTo(db, deliveries, and(...conditions(filter))));
}

/** Only operators see deliveries or their number. */
const requireLedgerReader = (ctx: TicketContext): Viewer => requireOperator(ctx, 'see deliveries', 'read');

async function deliveriesOf(
  ctx: TicketContext,
  viewer: Viewer,
  filter: DeliveryFilter,
  page: KeysetPage,
): Promise<Delivery[]> {
  const rows = await ctx.services.database.readAs(viewer, (db) =>
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
  const failed = sql`exists (
    select from ${deliveryRecipients}
    where ${deliveryRecipients.deliveryId} = ${deliveries.id} and ${deliveryRecipients.state} = 'FAILED')`;
  return [
    states == null ? undefined : states.length === 0 ? sql`false` : inArray(deliveries.state, [...states]),
    hasFailedRecipient == null ? undefined : hasFailedRecipient ? failed : sql`not ${failed}`,
    ticketId == null ? undefined : eq(deliveries.ticketId, ticketId),
    mailboxId == null ? undefined : eq(deliveries.mailboxId, mailboxId),
  ];
}
