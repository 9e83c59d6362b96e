import type { RecipientKind } from '../../platform/vocabulary.ts';
import { envelopeAddress, needsSmtpUtf8 } from '../address.ts';
import { type ComposedMail, composeMail, sourceOctets } from '../compose/compose-mail.ts';
import { attachmentPart } from '../compose/conversation.ts';
import { mailedOf, type NamedAddress } from '../compose/mail-parts.ts';
import type { DeliveryContents } from './delivery-contents.ts';

/** A mail that can be sent. */
export type PreparedMail = Pick<ComposedMail, 'source' | 'byteSize' | 'hasUtf8Headers'>;

/** Makes the mail's source: that of an earlier attempt if there is one, else it is composed now. */
export async function prepareMail(contents: DeliveryContents, now: Date): Promise<PreparedMail> {
  const { source } = contents;
  if (source !== undefined) {
    const named = contents.recipients.filter(({ kind }) => kind !== 'BCC');
    return {
      source,
      byteSize: sourceOctets(source),
      hasUtf8Headers: [contents.fromAddress, ...named.map(({ address }) => address)].some(needsSmtpUtf8),
    };
  }
  const people = (kind: RecipientKind): NamedAddress[] =>
    contents.recipients.filter((one) => one.kind === kind);
  return composeMail({
    ...contents.conversation,
    messageId: contents.rfcMessageId,
    date: now,
    from: { name: contents.fromName, address: contents.fromAddress },
    to: people('TO'),
    cc: people('CC'),
    bcc: people('BCC'),
    subject: contents.subject,
    ...mailedOf(contents),
    signature: contents.signature,
    autoSubmitted: contents.autoSubmitted,
    attachments: contents.attachments.map(attachmentPart),
  });
}

/** The envelope of one attempt, for these recipients: each address once. */
export function envelopeOf(
  contents: DeliveryContents,
  recipients: readonly { address: string }[],
): { from: string; to: string[] } {
  return {
    from: envelopeAddress(contents.fromAddress),
    to: [...new Set(recipients.map(({ address }) => envelopeAddress(address)))],
  };
}
