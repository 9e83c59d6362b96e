import type postgres from 'postgres';
import type { Backlog } from '../../observe/gauges.ts';
import { createPromptRead } from '../../observe/prompt-read.ts';
import type { DeliveryState } from '../../platform/vocabulary.ts';
import { giveUpAfterDays } from './claim.ts';

/** States of unfinished mails. OUTCOME_UNKNOWN is one until an operator resolves it. */
const waitingStates = ['QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING', 'OUTCOME_UNKNOWN'] as const;

type BacklogRow = Backlog['states'][number] & { readonly stalledSeconds: number };

/**
 * Counts the backlog. Mail is stalled while a sendable mail waits, and no mail has been sent since its wait
 * began. The wait begins at the mail's first attempt, or at its due time if there was no attempt. A mail that
 * is held until later, or awaits a scan, does not count.
 */
async function countBacklog(sql: postgres.Sql): Promise<Backlog> {
  const rows = await sql<BacklogRow[]>`
    with stalled as (
      select min(case when attempts > 0
        then coalesce(give_up_at - make_interval(days => ${giveUpAfterDays}), due_at)
        else due_at end) as since
      from deliveries
      where state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING') and not awaits_scan
        and (attempts > 0 or due_at <= clock_timestamp())
    ), counted as (
      -- Literals: PostgreSQL knows how few these mails are, and reads their index.
      select state, count(*)::int as deliveries from deliveries
      where state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING', 'OUTCOME_UNKNOWN') group by state
    )
    select s.state, coalesce(c.deliveries, 0) as deliveries,
      -- States are compared together with ids: for s.state = …, PostgreSQL may read all mails by their ids.
      coalesce(extract(epoch from clock_timestamp() - (
        select o.created_at from deliveries o where (o.state, o.id) > (s.state, 0) and o.state <= s.state
        order by o.state, o.id limit 1)), 0)::float8 as "oldestSeconds",
      greatest(0, coalesce(extract(epoch from clock_timestamp() - (
        select greatest(since, (select max(sent_at) from delivery_recipients)) from stalled
        where since is not null)), 0))::float8 as "stalledSeconds"
    from unnest(${[...waitingStates]}::text[]) as s (state) left join counted c on c.state = s.state`;
  const states = rows.map(({ state, deliveries, oldestSeconds }) => ({
    state: state as DeliveryState,
    deliveries,
    oldestSeconds,
  }));
  return { states, stalledSeconds: rows[0]?.stalledSeconds ?? 0 };
}

/**
 * Creates a function that counts the unfinished mails of the desk by state (QUEUED, HELD, DEFERRED,
 * TRANSMITTING, OUTCOME_UNKNOWN; also those with none) and measures for how long mail has been stalled, see
 * `createMailCheck`. It rejects and caches as `createPromptRead` does, so it may be called often.
 */
export const createBacklog = (sql: postgres.Sql): (() => Promise<Backlog>) =>
  createPromptRead(() => countBacklog(sql));

/**
 * Creates the check of mail for readiness: `degraded` when mail has been stalled for `patienceSeconds`,
 * `unknown` when the backlog cannot be counted. Mail is stalled while a mail waits that was tried already or
 * is due, and no mail has been sent since its first attempt, or since it was due if it was never tried. Mails
 * that are held until later or await a scan do not count. It never rejects.
 * @param backlog made by `createBacklog`
 */
export function createMailCheck(
  backlog: () => Promise<Backlog>,
  patienceSeconds: number,
): () => Promise<'ok' | 'degraded' | 'unknown'> {
  return async () => {
    const found = await backlog().catch(() => undefined);
    if (found === undefined) return 'unknown';
    return found.stalledSeconds < patienceSeconds ? 'ok' : 'degraded';
  };
}
