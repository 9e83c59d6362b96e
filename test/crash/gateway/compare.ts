import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type postgres from 'postgres';
import { type JournalEntry, readJournal } from '../../support/servers/smtp-sink-process.ts';
import { type ClientLog, type Entry, sha256Of } from './client-log.ts';
import { findWrongCounters, loadMessages, type StoredMessage } from './rows.ts';

export interface Comparison {
  /** One sentence each; empty: no violation. */
  readonly violations: readonly string[];
  /** Of the last round: unanswered calls that are there all the same. */
  readonly unacknowledgedStored: number;
  readonly sent: number;
  readonly unknown: number;
  /** Of the unknown ones, those that the mail server has. */
  readonly unknownReceived: number;
}

/**
 * Compares what the clients were answered, what is stored and what the mail server accepted, over all rounds
 * so far.
 */
export async function compare(
  sql: postgres.Sql,
  log: ClientLog,
  { round, journal, blobs }: { round: number; journal: string; blobs: string },
): Promise<Comparison> {
  const stored = await loadMessages(sql);
  const byBody = Map.groupBy(stored, ({ body }) => body);
  const received = Map.groupBy(readJournal(journal), ({ messageId }) => messageId);
  const violations: string[] = [];
  for (const entry of log.entries.values()) violations.push(...acknowledgement(entry, byBody));
  for (const message of stored) {
    const entry = log.entries.get(message.body);
    if (entry === undefined) violations.push(`message ${message.id} was said by nobody`);
    else violations.push(...wholeness(message, entry, entry.round === round ? blobs : undefined));
    violations.push(...mailing(message, received));
  }
  const known = new Set(stored.map(({ delivery }) => delivery?.rfcMessageId));
  for (const id of received.keys())
    if (!known.has(id)) violations.push(`the mail server has ${id}, of which no row knows`);
  for (const wrong of await findWrongCounters(sql)) violations.push(`counters: ${JSON.stringify(wrong)}`);

  const last = stored.filter(({ body }) => log.entries.get(body)?.round === round);
  const unknown = last.filter(({ delivery }) => delivery?.state === 'OUTCOME_UNKNOWN');
  return {
    violations,
    unacknowledgedStored: last.filter(({ body }) => log.entries.get(body)?.answer?.kind !== 'added').length,
    sent: last.filter(({ delivery }) => delivery?.state === 'SENT').length,
    unknown: unknown.length,
    unknownReceived: unknown.filter(({ delivery }) => received.has(delivery!.rfcMessageId)).length,
  };
}

function acknowledgement({ message, answer }: Entry, byBody: Map<string, StoredMessage[]>): string[] {
  const rows = byBody.get(message.body) ?? [];
  const name = message.body.slice(0, 24);
  if (rows.length > 1) return [`${name}: there ${rows.length} times`];
  if (answer?.kind === 'added' && rows[0]?.id !== answer.messageId)
    return [`${name}: acknowledged as ${answer.messageId}, stored as ${rows[0]?.id}`];
  if (answer?.kind === 'refused') return [`${name}: refused with ${answer.code}`];
  return [];
}

/**
 * Checks that a message is stored with everything that its call contained. @param blobs looks into the files
 * as well, under this folder
 */
function wholeness(row: StoredMessage, { message }: Entry, blobs: string | undefined): string[] {
  const wrong: string[] = [];
  const expect = (what: string, is: unknown, expected: unknown) => {
    if (JSON.stringify(is) !== JSON.stringify(expected))
      wrong.push(
        `message ${row.id}: ${what} is ${JSON.stringify(is)} instead of ${JSON.stringify(expected)}`,
      );
  };
  const files = (message.files ?? []).map(({ name, bytes }) => ({
    name,
    size: bytes.length,
    sha256: sha256Of(bytes),
  }));
  expect('ticket', row.reference, message.ticket);
  expect('visibility', row.visibility, message.private ? 'PRIVATE' : 'PUBLIC');
  expect(
    'attachments',
    row.attachments.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
    files,
  );
  expect('events', row.events.length, 1);
  const { cc = [], bcc = [] } = message.email ?? {};
  expect(
    'recipients',
    row.delivery?.recipients.map(({ kind, address }) => (kind === 'TO' ? kind : address)),
    message.email && ['TO', ...cc, ...bcc],
  );
  for (const { key, sha256, blob } of row.attachments) {
    if (!blob) wrong.push(`message ${row.id}: an attachment without its blob`);
    else if (blobs !== undefined)
      expect('file', sha256Of(readFileSync(join(blobs, key.slice(0, 2), key))), sha256);
  }
  return wrong;
}

/**
 * SENT: the mail server has it once, for all of its recipients. OUTCOME_UNKNOWN: once or not at all. No other
 * final state is allowed.
 */
function mailing({ id, delivery }: StoredMessage, received: Map<string, JournalEntry[]>): string[] {
  if (delivery === null) return [];
  const copies = received.get(delivery.rfcMessageId) ?? [];
  const { state, recipients } = delivery;
  if (state !== 'SENT' && state !== 'OUTCOME_UNKNOWN') return [`message ${id}: its mail is ${state}`];
  if (copies.length > 1 || (state === 'SENT' && copies.length === 0))
    return [`message ${id}: its mail is ${state} and the mail server has it ${copies.length} times`];
  const wrong = recipients.filter((recipient) => recipient.state !== state);
  if (wrong.length > 0) return [`message ${id}: its mail is ${state}, a recipient ${wrong[0]!.state}`];
  const to = copies[0]?.to.toSorted().join();
  if (
    to !== undefined &&
    to !==
      recipients
        .map(({ address }) => address)
        .toSorted()
        .join()
  )
    return [`message ${id}: the mail server has it for ${to}`];
  return [];
}
