import type { Tx } from '../../db/database.ts';
import { auditEntries } from '../../db/tables.ts';
import { appendEvents, type NewEvent } from '../../events/append-events.ts';
import type { Visibility } from '../../platform/vocabulary.ts';
import { withdrawMails } from '../deliveries/withdraw-mails.ts';
import type { RedactionTarget } from './run-redaction.ts';

interface RedactionRecord {
  readonly action: 'MESSAGE_REDACTED' | 'ATTACHMENT_REDACTED';
  readonly details: Readonly<Record<string, string | number | null>>;
  readonly visibility: Visibility;
}

/**
 * Records a redaction. The caller must have done the redaction itself already, in the transaction `tx`, which
 * holds the lock of the ticket's row. This withdraws the message's mails, writes the audit entry and appends
 * the events. `withdrawMails` says which mails are cancelled, what of the stored mails it deletes, and which
 * later mails are composed again. The event MESSAGE_REDACTED comes first, for every viewer of the message,
 * also when only a file was redacted. A DELIVERY_CANCELLED for each cancelled mail follows, for operators.
 * @param what the action and the details of the audit entry, and the message's visibility
 */
export async function recordRedaction(
  tx: Tx,
  target: RedactionTarget,
  { action, details, visibility }: RedactionRecord,
): Promise<void> {
  const { actorId, ticketId, messageId } = target;
  const part = action === 'MESSAGE_REDACTED' ? 'MESSAGE' : 'FILE';
  const cancelled = await withdrawMails(tx, { ticketId, messageId, part, quoted: visibility === 'PUBLIC' });
  await tx.insert(auditEntries).values({ actorId, action, ticketId, messageId, details });
  const redacted: NewEvent = { actorId, messageId, type: 'MESSAGE_REDACTED', visibility, deliveryId: null };
  const called = cancelled.map(
    (deliveryId): NewEvent => ({
      ...{ actorId, messageId, deliveryId },
      type: 'DELIVERY_CANCELLED',
      visibility: 'PRIVATE',
    }),
  );
  await tx.execute(appendEvents(ticketId, [redacted, ...called]));
}
