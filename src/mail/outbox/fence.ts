import { sql } from 'drizzle-orm';
import type postgres from 'postgres';
import { assign, insertFrom } from '../../db/insert-from.ts';
import { prepareStatement } from '../../db/run-statement.ts';
import { deliveries, deliverySources } from '../../db/tables.ts';
import type { MailSource } from '../compose/stored-mail.ts';
import { d } from '../table-aliases.ts';
import type { Claim } from './claim.ts';

/*
 * What an attempt commits before a byte is sent: the mail's source, then the fence. A locked delivery is
 * skipped, so that the other mails of a batch do not wait for it while their servers wait for them.
 */

/** The attempt that owns a delivery. */
export type ClaimRef = Pick<Claim, 'id' | 'token'>;

const value = sql.placeholder;

const holdsLease = sql`${d.leaseUntil} > clock_timestamp()`;

const insertSources = prepareStatement<
  { locked: string[] },
  { ids: number[]; tokens: string[]; skeletons: string[]; inserts: string[] }
>(sql`
    with input as (
      select * from unnest(
        ${value('ids')}::int[], ${value('tokens')}::uuid[],
        ${value('skeletons')}::text[],
        ${value('inserts')}::text[]
      ) as i (id, token, skeleton, inserts)
    ), owned as (
      -- A concurrent redaction either holds the lock already or waits for ours.
      select i.* from ${deliveries} d join input i on i.id = ${d.id} and i.token = ${d.attempt}
      order by ${d.id} for share of d skip locked
    ), kept as (
      ${insertFrom(
        deliverySources,
        {
          deliveryId: sql`id`,
          skeleton: sql`decode(skeleton, 'base64')`,
          inserts: sql`inserts::jsonb`,
        },
        sql`owned`,
      )}
      on conflict (${sql.identifier(deliverySources.deliveryId.name)}) do nothing
    )
    select set_config('synchronous_commit', 'off', true), array(
      select ${d.attempt} from ${deliveries} d join input i on i.id = ${d.id} and i.token = ${d.attempt}
      where ${d.id} not in (select id from owned) and ${holdsLease}) as locked`);

/**
 * Stores the sources that attempts will send, while they own their deliveries. A source that is stored
 * already stays. A redaction ends that ownership and deletes the source. Commits asynchronously: WAL is
 * ordered, so the synchronous BODY fence that follows makes this durable too.
 * @returns for each attempt, in order, whether its delivery is locked, so that the caller has to store its
 *   source later. Also false for an attempt that no longer owns its delivery, because the fence will find
 *   that out.
 */
export async function storeSources(
  client: postgres.Sql,
  kept: readonly (ClaimRef & { source: MailSource })[],
): Promise<boolean[]> {
  const [row] = await insertSources(client, {
    ids: kept.map(({ id }) => id),
    tokens: kept.map(({ token }) => token),
    skeletons: kept.map(({ source }) => source.skeleton.toString('base64')),
    inserts: kept.map(({ source }) => JSON.stringify(source.inserts)),
  });
  const locked = new Set(row!.locked);
  return kept.map(({ token }) => locked.has(token));
}

// The explicit ids keep both steps on their index, whatever row count the planner estimates.
const isNamed = sql`${d.id} = any (${value('ids')}::int[])`;
const mayOpen = sql`${isNamed}
  and ${d.attempt} = any (${value('tokens')}::uuid[])
  and ${d.state} = 'TRANSMITTING' and ${d.phase} <> 'BODY' and ${holdsLease}`;

interface Openings extends Record<string, unknown> {
  ids: number[];
  tokens: string[];
}

const enterBody = prepareStatement<{ token: string }, Openings>(sql`
    update ${deliveries} d set ${assign(deliveries, { phase: 'BODY' })}
    from (
      select ${d.id} from ${deliveries} d where ${mayOpen}
      order by ${d.id} for no key update of d skip locked
    ) o
    where ${isNamed} and ${d.id} = o.id returning ${d.attempt} as token`);

const selectOwned = prepareStatement<{ token: string }, Openings>(sql`
    select ${d.attempt} as token from ${deliveries} d where ${mayOpen}`);

/**
 * Result of a fence. `OPENED`: the body may be sent. `LOCKED`: the delivery is locked, so the caller asks
 * again. `LOST`: the attempt was overtaken, let its lease expire, or has passed the fence before. It must
 * drop the connection.
 */
export type FenceResult = 'OPENED' | 'LOCKED' | 'LOST';

/**
 * The fence: commits that the bodies of these mails may be sent from now on (phase BODY), so that a mail
 * counts as perhaps sent if this process dies. The update is small, because a mail server is waiting: it
 * changes no indexed column, which makes it a HOT update.
 * @returns the result for each attempt, in order
 */
export async function openBody(client: postgres.Sql, openings: readonly ClaimRef[]): Promise<FenceResult[]> {
  const asked = { ids: openings.map(({ id }) => id), tokens: openings.map(({ token }) => token) };
  const opened = await tokensOf(enterBody(client, asked));
  // A delivery that was skipped because of a lock still matches; a lost one does not.
  const locked = opened.size === openings.length ? undefined : await tokensOf(selectOwned(client, asked));
  return openings.map(({ token }) => (opened.has(token) ? 'OPENED' : locked?.has(token) ? 'LOCKED' : 'LOST'));
}

const tokensOf = async (rows: Promise<readonly { token: string }[]>): Promise<Set<string>> =>
  new Set((await rows).map(({ token }) => token));
