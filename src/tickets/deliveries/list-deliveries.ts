import { type SQL, sql } from 'drizzle-orm';
import type { Reader } from '../../db/database.ts';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { deliveries } from '../../db/tables.ts';
import type { Viewer } from '../../platform/request-context.ts';
import { type DeliveryState, deliveryStates } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { filterIdProblems, invalidInput } from '../invalid-input.ts';
import { requireOperator } from '../permissions.ts';
import {
  boundedCount,
  type Count,
  type KeysetPage,
  maxCount,
  type PageOf,
  type Paging,
  readPage,
} from '../read/pagination.ts';
import { type Delivery, loadDeliveries } from './load-deliveries.ts';

/** Which deliveries to list. All conditions have to hold; absent and null ones do not restrict. */
export interface DeliveryFilter {
  /** One of these states. An empty list matches nothing. */
  readonly states?: readonly DeliveryState[] | null | undefined;
  /** True: at least one recipient is in state FAILED. False: none is. */
  readonly hasFailedRecipient?: boolean | null | undefined;
  /** The ticket's number. 0: not an id, which is refused. */
  readonly ticketId?: number | null | undefined;
}

/**
 * A page of the whole desk's deliveries, in ascending order of their ids.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN for requesters and without the scope `read`; INVALID_INPUT for a
 *   malformed page or ticket id
 */
export async function listDeliveries(
  ctx: TicketContext,
  filter: DeliveryFilter,
  paging: Paging,
): Promise<PageOf<Delivery>> {
  const viewer = requireLedgerReader(ctx);
  const read = async (page: KeysetPage) => {
    const rows = await ctx.services.database.readAs(viewer, (db) =>
      statementOf(shapeOf(filter, page.inverted))(db).page.execute(valuesOf(filter, page)),
    );
    const ids = rows.map(({ id }) => id);
    const found = await loadDeliveries(ctx, ids);
    return ids.flatMap((id) => found.get(id) ?? []);
  };
  return readPage('deliveries', paging, read, problemsOf(filter));
}

/**
 * Number of deliveries on all pages of `listDeliveries`. Counting stops at `maxCount`.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN for requesters and without the scope `read`; INVALID_INPUT for a
 *   malformed ticket id
 */
export async function countDeliveries(ctx: TicketContext, filter: DeliveryFilter): Promise<Count> {
  const viewer = requireLedgerReader(ctx);
  const problems = problemsOf(filter);
  if (problems.length > 0) throw invalidInput(problems);
  const everything = { limit: maxCount + 1, inverted: false };
  const [row] = await ctx.services.database.readAs(viewer, (db) =>
    statementOf(shapeOf(filter, false))(db).count.execute(valuesOf(filter, everything)),
  );
  return boundedCount(row!.count);
}

const problemsOf = ({ ticketId }: DeliveryFilter) => [...filterIdProblems(ticketId, 'ticket', 'ticket')];

/** Only operators see deliveries or their number. */
const requireLedgerReader = (ctx: TicketContext): Viewer => requireOperator(ctx, 'see deliveries', 'read');

/** What a statement depends on, except its values. */
interface DeliveryShape {
  readonly byState: boolean;
  readonly ofTicket: boolean;
  readonly failed: boolean | null;
  readonly inverted: boolean;
}

const shapeOf = (filter: DeliveryFilter, inverted: boolean): DeliveryShape => ({
  byState: filter.states != null || filter.hasFailedRecipient === true,
  ofTicket: filter.ticketId != null,
  failed: filter.hasFailedRecipient ?? null,
  inverted,
});

function valuesOf({ states, hasFailedRecipient, ticketId }: DeliveryFilter, page: KeysetPage) {
  const { after = 0, before = 2_147_483_647, limit } = page;
  // A mail that was sent has reached everybody (`stateOf`).
  const possible = (states ?? deliveryStates).filter((state) => !hasFailedRecipient || state !== 'SENT');
  return { states: possible, ticketId: ticketId ?? 0, after, before, limit };
}

const statements = new Map<string, ReturnType<typeof prepare>>();

function statementOf(shape: DeliveryShape): ReturnType<typeof prepare> {
  const name = Object.values(shape).map(String).join('_');
  const made = statements.get(name) ?? prepare(shape, name);
  statements.set(name, made);
  return made;
}

const prepare = (shape: DeliveryShape, name: string) =>
  preparePerPool((db: Reader) => {
    const found = shape.byState ? byState(shape) : byId(shape);
    return {
      page: db
        .select({ id: sql<number>`id` })
        .from(found)
        .orderBy(sql`id ${direction(shape)}`)
        .limit(sql.placeholder('limit'))
        .prepare(`deliveries_${name}`),
      count: db.select({ count: sql<number>`count(*)::int` }).from(found).prepare(`count_${name}`),
    };
  });

const int = (name: string): SQL => sql`${sql.placeholder(name)}::int`;
const direction = ({ inverted }: DeliveryShape): SQL => sql.raw(inverted ? 'desc' : 'asc');

/** Few deliveries are in most states. Their index is read per state; see `read/ticket-list-statement.ts`. */
const byState = (shape: DeliveryShape): SQL => sql`
  unnest(${sql.placeholder('states')}::text[]) s (wanted) cross join lateral (
    select d.id from ${deliveries} d
    where (d.state, d.id) > (s.wanted, ${int('after')}) and (d.state, d.id) < (s.wanted, ${int('before')})
      ${conditions(shape)}
    order by d.state ${direction(shape)}, d.id ${direction(shape)} limit ${int('limit')}) d`;

const byId = (shape: DeliveryShape): SQL => sql`
  (select d.id from ${deliveries} d
    where d.id > ${int('after')} and d.id < ${int('before')} ${conditions(shape)}
    order by d.id ${direction(shape)} limit ${int('limit')}) d`;

const conditions = ({ ofTicket, failed }: DeliveryShape): SQL => {
  const some = sql`exists (
    select from delivery_recipients r where r.delivery_id = d.id and r.state = 'FAILED')`;
  return sql.join([
    ofTicket ? sql` and d.ticket_id = ${int('ticketId')}` : sql``,
    failed === null ? sql`` : failed ? sql` and ${some}` : sql` and not ${some}`,
  ]);
};
