import { eq } from 'drizzle-orm';
import type { Config } from '../../config.ts';
import { mailboxes } from '../../db/tables.ts';
import { newMailbox } from '../../import/record.ts';
import { parseAddress } from '../../mail/address.ts';
import { MailboxUnusable, type SendingMailbox, serverOf } from '../../mail/smtp/mailbox-pools.ts';
import { greet, NotGreeted, sendTestMail } from '../../mail/smtp/test-connection.ts';
import {
  type Command,
  CommandError,
  checked,
  type OptionValues,
  one,
  UsageError,
  wholeNumber,
} from '../command.ts';
import { audit, findMailbox } from '../lookup.ts';
import { done, fields } from '../output.ts';

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

const edit: Command = {
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
  example: 'mailbox edit help@example.com --signature "Your help desk" --rate-per-minute none',
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
      await audit(tx, 'MAILBOX_EDITED', { mailboxId: mailbox.id, changed: Object.keys(changes) });
      const { smtpPassword, pacedUntil, serverMaxMailBytes, createdAt, ...shown } = row!;
      return fields({ ...shown, smtpPassword: smtpPassword !== null });
    });
  },
};

/** The server of `SMTP_URL`; the development inbox cannot be reached from here. */
const deskServer = ({ smtp }: Config): string | undefined => (smtp.kind === 'url' ? smtp.url : undefined);

function settingsOf(mailbox: Omit<SendingMailbox, 'id' | 'disabled'>, config: Config) {
  if (mailbox.smtpUrl === null && config.smtp.kind === 'inbox')
    throw new CommandError(
      `${mailbox.address} sends to the development inbox of the running gateway: there is no server to test`,
    );
  try {
    const { mailboxKey } = config;
    return serverOf({ ...mailbox, disabled: false }, { smtpUrl: deskServer(config), mailboxKey });
  } catch (error) {
    if (!(error instanceof MailboxUnusable)) throw error;
    throw new CommandError(error.message, { cause: error });
  }
}

const test: Command = {
  name: 'mailbox test',
  arguments: ['ADDRESS'],
  summary: 'Connect to the server of a mailbox and sign in',
  details: 'With --to, a short mail is sent as well. Nothing is written to the database.',
  options: { to: { type: 'string', value: 'ADDRESS', help: 'send a test mail there' } },
  example: 'mailbox test help@example.com --to me@example.com',
  async run({ db, config }, [address], values) {
    const to = one(values, 'to');
    if (to !== undefined && !parseAddress(to).ok) throw new UsageError(`--to ${to} is not an e-mail address`);
    const mailbox = await findMailbox(db, address!);
    const server = settingsOf(mailbox, config);
    const where = `${server.host}:${server.port}`;
    try {
      const session = await greet(server);
      const reply = to === undefined ? undefined : await sendTestMail(session, mailbox.address, to);
      const { sizeLimit } = session;
      session.quit();
      const signedIn = server.user === undefined ? 'no login is required' : `signed in as ${server.user}`;
      const sent = reply === undefined ? '' : ` The mail to ${to} was accepted: ${reply}`;
      const disabled =
        mailbox.disabledAt === null ? '' : ' The mailbox is disabled: nothing is sent from it.';
      const json = { server: where, user: server.user, sizeLimit, reply, disabled: disabled !== '' };
      return done(`${where} answers, and ${signedIn}.${sent}${disabled}`, json);
    } catch (error) {
      if (!(error instanceof NotGreeted)) throw error;
      throw new CommandError(`${where}: ${error.message}`, { cause: error });
    }
  },
};

/** The commands `mailbox edit` and `mailbox test`. */
export const mailboxEditCommands: readonly Command[] = [edit, test];
