import type postgres from 'postgres';
import type { Backlog } from '../../observe/gauges.ts';
import type { DeliveryState } from '../../platform/vocabulary.ts';
import { giveUpAfterDays } from './claim.ts';

/** States of mails that have not come to their end; OUTCOME_UNKNOWN is there until somebody resolves it. */
const waitingStates = ['QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING', 'OUTCOME_UNKNOWN'] as const;
/** Milliseconds that a look is good for, and that one is waited for. */
const rememberedMs = 1000;
const answerWithinMs = 2000;

type Row = Backlog['states'][number] & { readonly stalledSeconds: number };

/**
 * What waits in the outbox. Mail is stalled when one that may go has waited and none has gone since: a mail
 * waits from its first attempt, or from when it was due. What is held or awaits a scan waits for somebody
 * else.
 */
async function look(sql: postgres.Sql): Promise<Backlog> {
  const rows = await sql<Row[]>`
    with stalled as (
      select min(case when attempts > 0
        then coalesce(give_up_at - make_interval(days => ${giveUpAfterDays}), due_at) else due_at end) as since
      from deliveries
      where state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING') and not awaits_scan
        and (attempts > 0 or due_at <= clock_timestamp())
    )
    select s.state, count(d.id)::int as deliveries,
      coalesce(extract(epoch from clock_timestamp() - (
        select o.created_at from deliveries o where o.state = s.state order by o.id limit 1)), 0)::float8
        as "oldestSeconds",
      greatest(0, coalesce(extract(epoch from clock_timestamp() - (
        select greatest(since, (select max(sent_at) from delivery_recipients)) from stalled
        where since is not null)), 0))::float8 as "stalledSeconds"
    from unnest(${[...waitingStates]}::text[]) as s (state) left join deliveries d on d.state = s.state
    group by s.state`;
  const states = rows.map(({ state, deliveries, oldestSeconds }) => ({
    state: state as DeliveryState,
    deliveries,
    oldestSeconds,
  }));
  return { states, stalledSeconds: rows[0]?.stalledSeconds ?? 0 };
}

/**
 * One look at a time, good for some seconds: whoever asks may ask often. @throws when the database does not
 * answer in time
 */
export function createBacklog(sql: postgres.Sql): () => Promise<Backlog> {
  let last: Promise<Backlog> | undefined;
  return () => {
    if (last !== undefined) return last;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(late.reject, answerWithinMs, new Error('no answer'));
    last = Promise.race([look(sql), late.promise]).finally(() => {
      clearTimeout(timer);
      setTimeout(() => (last = undefined), rememberedMs).unref();
    });
    return last;
  };
}

/** For readiness. @param patienceSeconds how long mail may wait without moving */
export function createMailChore(
  backlog: () => Promise<Backlog>,
  patienceSeconds: number,
): () => Promise<'ok' | 'degraded' | 'unknown'> {
  return async () => {
    const found = await backlog().catch(() => undefined);
    if (found === undefined) return 'unknown';
    return found.stalledSeconds < patienceSeconds ? 'ok' : 'degraded';
  };
}
