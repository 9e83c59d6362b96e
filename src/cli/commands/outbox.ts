import type postgres from 'postgres';
import { findHome, hold } from '../../mail/outbox/home.ts';
import { releaseOutbox } from '../../mail/outbox/release.ts';
import { type Command, one } from '../command.ts';
import { done, fields } from '../output.ts';

const show: Command = {
  name: 'outbox show',
  arguments: [],
  summary: 'Tell whether mails are sent, and what waits',
  options: {},
  example: 'outbox show --json',
  async run({ sql }) {
    const { heldAt, reason, moved, turned } = await findHome(sql);
    const [counts] = await sql<[{ due: number; later: number; transmitting: number; unknown: number }]>`
      select count(*) filter (where state in ('QUEUED', 'DEFERRED', 'HELD') and due_at <= now())::int as due,
        count(*) filter (where state in ('QUEUED', 'DEFERRED', 'HELD') and due_at > now())::int as later,
        count(*) filter (where state = 'TRANSMITTING')::int as transmitting,
        count(*) filter (where state = 'OUTCOME_UNKNOWN')::int as unknown
      from deliveries where state in ('QUEUED', 'DEFERRED', 'HELD', 'TRANSMITTING', 'OUTCOME_UNKNOWN')`;
    const restored = moved || turned;
    return fields({ sends: heldAt === null && !restored, heldAt, reason, restored, ...counts });
  },
};

const audit = (tx: postgres.Sql, action: string, details: object) => tx`
  insert into audit_entries (action, details)
  values (${action}, ${JSON.stringify({ by: 'command line', ...details })}::text::jsonb)`;

const stop: Command = {
  name: 'outbox hold',
  arguments: [],
  summary: 'Send no mail until it is released, whatever worker runs',
  details:
    'Messages are taken as before, and their mails wait. What a worker is sending at this moment is sent.',
  options: { reason: { type: 'string', value: 'TEXT', help: 'told to whoever asks why' } },
  example: 'outbox hold --reason "the mail server moves tonight"',
  async run({ sql }, _args, values) {
    const reason = one(values, 'reason') ?? 'held from the command line';
    const changed = await sql.begin(async (transaction) => {
      const tx = transaction as unknown as postgres.Sql;
      await findHome(tx);
      const first = await hold(tx, reason);
      if (first) await audit(tx, 'OUTBOX_HELD', { reason });
      return first;
    });
    return done(changed ? 'No mail is sent any more.' : 'Mails were held already.', { changed });
  },
};

const release: Command = {
  name: 'outbox release',
  arguments: [],
  summary: 'Let mails go again: after a hold, or in a database that was restored',
  details: [
    'A database that was restored from a dump or a backup, cloned, or moved to another cluster sends nothing by itself, as the desk',
    'that it was may have sent the same mails. Released, what waited is sent once; what was being transmitted when the copy was',
    'made has the outcome OUTCOME_UNKNOWN, which an operator resolves. Do not release a copy beside the desk that goes on.',
  ].join('\n'),
  options: {
    doubt: { type: 'boolean', help: 'what is due has the outcome OUTCOME_UNKNOWN as well, and is not sent' },
  },
  example: 'outbox release --doubt',
  async run({ sql }, _args, values) {
    const doubt = values.doubt === true;
    const result = await sql.begin(async (transaction) => {
      const tx = transaction as unknown as postgres.Sql;
      const released = await releaseOutbox(tx, doubt);
      await audit(tx, 'OUTBOX_RELEASED', { ...released, doubt });
      return released;
    });
    const unknown = `${result.outcomeUnknown || 'No'} mails have an unknown outcome: deliveries with OUTCOME_UNKNOWN.`;
    return done(`Mails go again. ${result.restored || doubt ? unknown : ''}`.trim(), { ...result });
  },
};

export const outboxCommands: readonly Command[] = [show, stop, release];
