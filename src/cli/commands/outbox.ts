import type postgres from 'postgres';
import { runStatement } from '../../db/run-statement.ts';
import { findOutboxHome, holdOutbox, whyHeld } from '../../mail/outbox/holding/home.ts';
import { releaseOutbox } from '../../mail/outbox/holding/release-outbox.ts';
import { auditEntry } from '../audit-entry.ts';
import { type Command, one } from '../command.ts';
import { done, fields } from '../output.ts';

const show: Command = {
  name: 'outbox show',
  arguments: [],
  summary: 'Show whether mails are sent, and how many are queued',
  details: [
    'Mails that are due are sent at once, unless the outbox is held. Those that are due later are held for',
    'somebody who may still cancel them, or wait for another try.',
  ].join('\n'),
  options: {},
  example: 'outbox show --json',
  async run({ sql }) {
    const { heldAt, reason, moved, timelineChanged } = await findOutboxHome(sql);
    const [counts] = await sql<[{ due: number; later: number; transmitting: number; unknown: number }]>`
      select count(*) filter (where state in ('QUEUED', 'DEFERRED', 'HELD') and due_at <= now())::int as due,
        count(*) filter (where state in ('QUEUED', 'DEFERRED', 'HELD') and due_at > now())::int as later,
        count(*) filter (where state = 'TRANSMITTING')::int as transmitting,
        count(*) filter (where state = 'OUTCOME_UNKNOWN')::int as unknown
      from deliveries where state in ('QUEUED', 'DEFERRED', 'HELD', 'TRANSMITTING', 'OUTCOME_UNKNOWN')`;
    const restored = moved || timelineChanged;
    const { due, later, transmitting, unknown } = counts!;
    const held = await whyHeld(sql);
    const text = fields({
      mailsAreSent: held === undefined ? 'yes' : `no: ${held}`,
      ...(heldAt !== null && { heldSince: heldAt }),
      ...(held !== undefined && { toSendAgain: 'ticketwire outbox release --help' }),
      ...{ due, dueLater: later, transmitting, outcomeUnknown: unknown },
    }).text;
    return { json: { sends: held === undefined, heldAt, reason, restored, ...counts }, text };
  },
};

const stop: Command = {
  name: 'outbox hold',
  arguments: [],
  summary: 'Stop all workers from sending mail until `outbox release`',
  details:
    'Messages are accepted as before and their mails are queued. Mails that are being sent are finished.',
  options: { reason: { type: 'string', value: 'TEXT', help: 'shown by `outbox show`' } },
  example: 'outbox hold --reason "the mail server moves tonight"',
  async run({ sql }, _args, values) {
    const reason = one(values, 'reason') ?? 'held from the command line';
    const changed = await sql.begin(async (transaction) => {
      const tx = transaction as unknown as postgres.Sql;
      await findOutboxHome(tx);
      const first = await holdOutbox(tx, reason);
      if (first) await runStatement(tx, auditEntry('OUTBOX_HELD', { reason }));
      return first;
    });
    return done(changed ? 'The outbox is held.' : 'The outbox was held already.', { changed });
  },
};

const release: Command = {
  name: 'outbox release',
  arguments: [],
  summary: 'Send mails again, after a hold or in a restored database',
  details: [
    'A database that was restored, cloned or moved to another cluster sends no mail until it is released,',
    'because the original may have sent the same mails. After the release, queued mails are sent once. Mails',
    'that were being transmitted when the copy was made become OUTCOME_UNKNOWN, for an operator to resolve.',
    'Do not release a copy while the original is in use.',
  ].join('\n'),
  options: {
    doubt: { type: 'boolean', help: 'make waiting mails OUTCOME_UNKNOWN instead of sending them' },
  },
  example: 'outbox release --doubt',
  async run({ sql }, _args, values) {
    const doubt = values.doubt === true;
    const result = await sql.begin(async (transaction) => {
      const tx = transaction as unknown as postgres.Sql;
      const released = await releaseOutbox(tx, doubt);
      await runStatement(tx, auditEntry('OUTBOX_RELEASED', { ...released, doubt }));
      return released;
    });
    const { outcomeUnknown: many } = result;
    const unknown = `${many === 1 ? '1 delivery is' : `${many || 'No'} deliveries are`} OUTCOME_UNKNOWN.`;
    return done(`Mails are sent again. ${result.restored || doubt ? unknown : ''}`.trim(), { ...result });
  },
};

/**
 * The commands `outbox show` (whether mails are sent, and how many wait), and `outbox hold` and `outbox
 * release`, which stop and resume the sending of mail in all processes, and write an audit entry.
 */
export const outboxCommands: readonly Command[] = [show, stop, release];
