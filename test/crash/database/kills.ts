import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { between, seeded } from '../support/random.ts';
import type { Call } from './load.ts';

/** Milliseconds between which a session ended: a call may fail before we hear that its session has. */
export interface Kill {
  readonly from: number;
  readonly to: number;
}

/**
 * Ends one of the gateways' sessions after another, at random, every second time one that is in a statement
 * if there is one. @returns when each was told to end, and when that was answered
 */
export async function killBackends(sql: postgres.Sql, times: number, seed: number): Promise<Kill[]> {
  const random = seeded(seed);
  const kills: Kill[] = [];
  while (kills.length < times) {
    const from = performance.now();
    const killed = await sql`
      select pg_terminate_backend(pid) from (
        select pid from pg_stat_activity where application_name = 'ticketwire' and datname = 'desk'
        order by case when ${kills.length % 2 === 0} and state <> 'idle' then 0 else 1 end, random() limit 1
      ) one`;
    if (killed.length > 0) kills.push({ from, to: performance.now() });
    await sleep(between(random, 250, 750));
  }
  return kills;
}

/** Milliseconds after which nothing may fail by a kill any more. */
const aftermathMs = 200;

/** Calls that failed although they began later than that after the last kill before their end. */
export const innocent = (calls: readonly Call[], kills: readonly Kill[]): Call[] =>
  calls.filter(
    ({ answer, beganAt, endedAt }) =>
      answer.kind !== 'added' && !kills.some(({ from, to }) => to > beganAt - aftermathMs && from <= endedAt),
  );
