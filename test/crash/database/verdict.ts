import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { readJournal } from '../../support/servers/smtp-sink-process.ts';
import type { Call } from './load.ts';

export interface Verdict {
  readonly acknowledged: number;
  readonly faults: number;
  readonly lost: number;
  readonly doubled: number;
  /** Mails that the mail server accepted more than once, or never. */
  readonly mailsDoubled: number;
  readonly mailsLost: number;
  readonly mails: number;
}

/** Compares what the clients were answered, what is stored and what the mail server accepted. */
export async function judge(
  sql: postgres.Sql,
  calls: readonly Call[],
  journal: string,
  name: string,
): Promise<Verdict> {
  await untilSettled(sql);
  const rows = await sql<{ id: number; body: string; mail: string | null }[]>`
    select m.id, m.body, d.rfc_message_id as mail from messages m left
    join deliveries d on d.message_id = m.id
    where m.body like ${`${name} client %`}`;
  const stored = new Map<string, number[]>();
  for (const { id, body } of rows) stored.set(body, [...(stored.get(body) ?? []), id]);
  const acknowledged = calls.flatMap(({ body, answer }) =>
    answer.kind === 'added' ? [{ body, id: answer.messageId }] : [],
  );
  const taken = new Map<string, number>();
  for (const { messageId } of readJournal(journal)) taken.set(messageId, (taken.get(messageId) ?? 0) + 1);
  const mails = rows.flatMap(({ mail }) => (mail === null ? [] : [mail]));
  return {
    acknowledged: acknowledged.length,
    faults: calls.filter(({ answer }) => answer.kind !== 'added').length,
    lost: acknowledged.filter(({ body, id }) => !stored.get(body)?.includes(id)).length,
    doubled: [...stored.values()].filter((ids) => ids.length > 1).length,
    mails: mails.length,
    mailsDoubled: mails.filter((id) => (taken.get(id) ?? 0) > 1).length,
    mailsLost: mails.filter((id) => !taken.has(id)).length,
  };
}

/**
 * No mail waits any more; one whose outcome is unknown waits for a person and counts as lost unless it was
 * taken.
 */
async function untilSettled(sql: postgres.Sql): Promise<void> {
  for (const deadline = Date.now() + 90_000; Date.now() < deadline; await sleep(200)) {
    const [row] = await sql`
      select count(*)::int as count from deliveries
      where state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING')`;
    if (row!.count === 0) return;
  }
  throw new Error('mails are not settled after 90 s');
}

/** How long after an instant everything worked again, seconds. */
export interface Recovery {
  /** The first message that was begun after it and acknowledged, by the slower gateway. */
  readonly first: number;
  /** The end of the last call that failed. */
  readonly last: number;
  /** The first mail after it that was settled as sent, of a message that was written after it. */
  readonly mail: number;
  readonly longestCall: number;
}

export function recoveryOf(calls: readonly Call[], since: number): Omit<Recovery, 'mail'> {
  const seconds = (at: number) => Math.round(at - since) / 1000;
  const firsts = [0, 1].map((gateway) => {
    const good = calls.filter(
      (call) => call.gateway === gateway && call.beganAt >= since && call.answer.kind === 'added',
    );
    return Math.min(...good.map(({ endedAt }) => endedAt));
  });
  const failed = calls.filter(({ answer, endedAt }) => answer.kind !== 'added' && endedAt >= since);
  return {
    first: seconds(Math.max(...firsts)),
    last: failed.length === 0 ? 0 : seconds(Math.max(...failed.map(({ endedAt }) => endedAt))),
    longestCall: Math.round(Math.max(...calls.map(({ beganAt, endedAt }) => endedAt - beganAt))) / 1000,
  };
}
