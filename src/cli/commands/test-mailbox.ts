import type { Config } from '../../config.ts';
import { parseAddress } from '../../mail/address.ts';
import { MailboxUnusable, type SendingMailbox, serverOf } from '../../mail/smtp/mailbox-pools.ts';
import { greet, MailTestFailed, sendTestMail } from '../../mail/smtp/send-test-mail.ts';
import { type Command, CommandError, one, UsageError } from '../command.ts';
import { findMailbox } from '../find-by-name.ts';
import { done } from '../output.ts';

/** The server of `SMTP_URL`; the development inbox cannot be reached from here. */
const deskServer = ({ smtp }: Config): string | undefined => (smtp.kind === 'url' ? smtp.url : undefined);

function settingsOf(mailbox: Omit<SendingMailbox, 'id' | 'disabled'>, config: Config) {
  if (mailbox.smtpUrl === null && config.smtp.kind === 'inbox')
    throw new CommandError(
      `${mailbox.address} sends to the running gateway's development inbox, so there is no server to test`,
    );
  try {
    const { mailboxKey } = config;
    return serverOf({ ...mailbox, disabled: false }, { smtpUrl: deskServer(config), mailboxKey });
  } catch (error) {
    if (!(error instanceof MailboxUnusable)) throw error;
    throw new CommandError(error.message, { cause: error });
  }
}

/**
 * The command `mailbox test`: connects to a mailbox's server, signs in and, with `--to`, sends a mail. Writes
 * nothing to the database. Exits with 1 when the server does not answer, or refuses the login or the mail.
 */
export const testMailboxCommand: Command = {
  name: 'mailbox test',
  arguments: ['ADDRESS'],
  summary: 'Connect to the server of a mailbox and sign in',
  details: 'With --to, a short mail is sent as well. Nothing is written to the database.',
  options: { to: { type: 'string', value: 'ADDRESS', help: 'send a test mail there' } },
  example: 'mailbox test company@domain.com --to me@example.com',
  async run({ db, config }, [address], values) {
    const to = one(values, 'to');
    if (to !== undefined && !parseAddress(to).ok) throw new UsageError(`--to ${to} is not an e-mail address`);
    const mailbox = await findMailbox(db, address!);
    const server = settingsOf(mailbox, config);
    const where = `${server.host}:${server.port}`;
    try {
      const session = await greet(server);
      // An open session would keep the process alive until the server ends it.
      using _ended = { [Symbol.dispose]: () => session.quit() };
      const from = { name: mailbox.displayName, address: mailbox.address };
      const reply = to === undefined ? undefined : await sendTestMail(session, from, to);
      const { sizeLimit } = session;
      const signedIn = server.user === undefined ? 'no login is configured' : `signed in as ${server.user}`;
      const sent = reply === undefined ? '' : ` The mail to ${to} was accepted: ${reply}`;
      const disabled =
        mailbox.disabledAt === null ? '' : ' The mailbox is disabled, so the gateway sends nothing from it.';
      const json = { server: where, user: server.user, sizeLimit, reply, disabled: disabled !== '' };
      return done(`${where} answers, and ${signedIn}.${sent}${disabled}`, json);
    } catch (error) {
      if (!(error instanceof MailTestFailed)) throw error;
      throw new CommandError(`${where}: ${error.message}`, { cause: error });
    }
  },
};
