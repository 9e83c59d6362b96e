import { eq } from 'drizzle-orm';
import { mailboxes } from '../../db/tables.ts';
import { newMailbox } from '../../import/record.ts';
import { auditEntry } from '../audit-entry.ts';
import { type Command, CommandError, checked, type OptionValues, one, wholeNumber } from '../command.ts';
import { findMailbox } from '../find-by-name.ts';
import { fields } from '../output.ts';

/** `--rate-per-minute 30`, or `none`. */
function numberOf(values: OptionValues, name: string): number | null | undefined {
  const text = one(values, name);
  if (text === undefined) return undefined;
  return text === 'none' ? null : wholeNumber(text, `--${name}`);
}

/** The options that were given. */
const given = (all: object): object =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));

const loginOf = (url: string) => {
  const { protocol, host, username } = new URL(url);
  return `${protocol}//${username}@${host}`;
};
const isSameLogin = (before: string | null, url: string): boolean =>
  before !== null && url !== '' && loginOf(before) === loginOf(url);

/**
 * The command `mailbox edit`: changes the settings of a mailbox that options are given for, and writes an
 * audit entry. A new SMTP server or login removes the mailbox's SMTP password.
 */
export const editMailboxCommand: Command = {
  name: 'mailbox edit',
  arguments: ['ADDRESS'],
  summary: 'Change a mailbox’s name, signature, server or limits',
  details: [
    'Options that are not given stay as they are, but a new server clears the SMTP password.',
    'Queued mails are sent with the new settings, and keep their name and signature.',
  ].join('\n'),
  options: {
    name: { type: 'string', value: 'NAME', help: 'display name that recipients see' },
    signature: { type: 'string', value: 'TEXT', help: 'text below each message; "" for none' },
    'smtp-url': { type: 'string', value: 'URL', help: 'smtp://user@host:587; "" for SMTP_URL' },
    'max-mail-bytes': { type: 'string', value: 'BYTES', help: 'maximum size of an encoded mail' },
    'rate-per-minute': { type: 'string', value: 'N', help: 'maximum mails per minute, or none' },
    'rate-per-recipient-hour': {
      type: 'string',
      value: 'N',
      help: 'maximum mails per hour to one address, or none',
    },
  },
  example: 'mailbox edit company@domain.com --signature "Your help desk" --rate-per-minute none',
  async run({ db }, [address], values) {
    const url = one(values, 'smtp-url');
    const perRecipient = numberOf(values, 'rate-per-recipient-hour');
    const bytes = numberOf(values, 'max-mail-bytes');
    const typed = given({
      displayName: one(values, 'name'),
      signature: one(values, 'signature'),
      smtpUrl: url === '' ? null : url,
      maxMailBytes: bytes,
      ratePerMinute: numberOf(values, 'rate-per-minute'),
    });
    const changes = {
      ...checked(newMailbox.partial(), typed),
      ...given({ ratePerRecipientHour: perRecipient }),
    };
    if (Object.keys(changes).length === 0) throw new CommandError('Nothing to change: give an option');
    return db.transaction(async (tx) => {
      const mailbox = await findMailbox(tx, address!);
      // A password belongs to one server and one login, and must not be sent to another.
      const lost = mailbox.smtpPassword !== null && url !== undefined && !isSameLogin(mailbox.smtpUrl, url);
      const [row] = await tx
        .update(mailboxes)
        .set(lost ? { ...changes, smtpPassword: null } : changes)
        .where(eq(mailboxes.id, mailbox.id))
        .returning();
      await tx.execute(
        auditEntry('MAILBOX_EDITED', { mailboxId: mailbox.id, changed: Object.keys(changes) }),
      );
      const { smtpPassword, pacedUntil, serverMaxMailBytes, createdAt, ...shown } = row!;
      return fields({ ...shown, smtpPassword: smtpPassword !== null });
    });
  },
};
