import { asc, eq } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import { deliveries, deliveryRecipients, type MailSummary } from '../../db/tables.ts';
import { envelopeAddress, parseAddress } from '../../mail/address.ts';
import { explainRecipient } from '../../mail/outbox/explain-failure.ts';
import type { RecipientKind, RecipientState } from '../../platform/vocabulary.ts';
import { namedAddress } from './parse-mail.ts';

/** A recipient of a mail, and whether the mail was sent to them. */
export interface InboxRecipient {
  readonly kind: RecipientKind;
  readonly address: string;
  /** SENT also for mails that are not in the ledger, as this server accepted them. */
  readonly state: RecipientState;
  /** The mail server's last reply about the recipient; null without one, or outside of the ledger. */
  readonly smtpReply: string | null;
  /** Why the mail did not reach the recipient, in plain words; null: there is nothing to explain. */
  readonly failure: string | null;
}

/**
 * Finds the recipients of a mail: those of the delivery with its Message-ID, or else those of the envelope.
 * Without a delivery, whoever is named in neither To nor Cc is BCC.
 * @param mail `messageId`: empty if it has none; `rcptTo`: the envelope's addresses; `to` and `cc`: the
 *   headers'
 */
export async function recipientsOf(
  db: Db,
  {
    messageId,
    rcptTo,
    to,
    cc,
  }: Pick<MailSummary, 'to' | 'cc'> & { messageId: string; rcptTo: readonly string[] },
): Promise<readonly InboxRecipient[]> {
  const known = messageId === '' ? [] : await fromLedger(db, messageId);
  if (known.length > 0) return known;
  const named = { TO: new Set(to.map(addressIn)), CC: new Set(cc.map(addressIn)) };
  return rcptTo.map((address) => {
    const key = keyOf(address);
    const kind = named.TO.has(key) ? 'TO' : named.CC.has(key) ? 'CC' : 'BCC';
    return { kind, address, state: 'SENT', smtpReply: null, failure: null };
  });
}

async function fromLedger(db: Db, messageId: string): Promise<InboxRecipient[]> {
  const rows = await db
    .select({
      kind: deliveryRecipients.kind,
      address: deliveryRecipients.address,
      state: deliveryRecipients.state,
      smtpReply: deliveryRecipients.smtpReply,
    })
    .from(deliveryRecipients)
    .innerJoin(deliveries, eq(deliveries.id, deliveryRecipients.deliveryId))
    .where(eq(deliveries.rfcMessageId, messageId))
    .orderBy(asc(deliveryRecipients.position));
  return rows.map((row) => ({ ...row, failure: explainRecipient(row)?.reason ?? null }));
}

const addressIn = (person: string): string => keyOf(namedAddress(person).address);

const keyOf = (address: string): string =>
  parseAddress(address).ok ? envelopeAddress(address).toLowerCase() : address.toLowerCase();
