import type { Config } from '../../../config.ts';
import type { Connection } from '../../../db/database.ts';
import { count } from '../../output.ts';
import { type CheckResult, off, type SettingCheck } from './check.ts';

interface MailboxServer {
  readonly address: string;
  readonly smtpUrl: string | null;
  readonly smtpPassword: Buffer | null;
}

/**
 * Yields the checks of the mail servers (a connection and a sign-in; no mail is sent) and of whether the
 * outbox is held.
 * @param desk the gateway's connection to a desk with current tables; undefined if there is none: then only
 *   SMTP_URL is checked
 */
export async function* mailChecks(
  config: Config,
  desk: Connection | undefined,
): AsyncGenerator<SettingCheck> {
  if (desk === undefined) {
    yield { name: 'SMTP_URL', run: () => tryMailServer(config, undefined) };
    return;
  }
  yield { name: 'SMTP_URL', run: async () => tryMailServer(config, await enabledMailboxes(desk)) };
  yield { name: 'mailboxes', run: async () => tryMailboxes(await enabledMailboxes(desk), config) };
  yield { name: 'outbox', run: () => checkOutbox(desk) };
}

async function enabledMailboxes(desk: Connection): Promise<readonly MailboxServer[]> {
  const { openDatabase } = await import('../../../db/database.ts');
  await using database = openDatabase(desk, { poolSize: 2, applicationName: 'ticketwire-doctor' });
  return await database.raw<MailboxServer[]>`
    select address, smtp_url as "smtpUrl", smtp_password as "smtpPassword" from mailboxes
    where disabled_at is null order by address`;
}

async function tryMailServer(
  { smtp, production }: Config,
  mailboxes: readonly MailboxServer[] | undefined,
): Promise<string | CheckResult> {
  if (smtp.kind === 'inbox') {
    const detail = 'the development inbox of the gateway';
    return production ? { result: 'warning', detail: `${detail}: no mail leaves this machine` } : detail;
  }
  if (smtp.kind === 'none') return withoutServer(mailboxes);
  const { parseSmtpUrl } = await import('../../../mail/smtp/server-settings.ts');
  const { greet } = await import('../../../mail/smtp/send-test-mail.ts');
  const server = parseSmtpUrl(smtp.url);
  const session = await greet(server);
  session.quit();
  const signedIn = server.user === undefined ? '' : `, signed in as ${server.user}`;
  return `${server.host}:${server.port} answers${signedIn}`;
}

/**
 * Applies the rule that the gateway applies when it starts. Without a readable desk it is only a warning,
 * because mailboxes may have servers of their own.
 */
function withoutServer(mailboxes: readonly MailboxServer[] | undefined): CheckResult {
  const detail = 'is required as long as no mailbox has SMTP settings of its own';
  if (mailboxes === undefined) return { result: 'warning', detail };
  return mailboxes.some(({ smtpUrl }) => smtpUrl !== null)
    ? off('not needed: mailboxes have servers of their own')
    : { result: 'failed', detail };
}

/**
 * Connects to the servers of mailboxes, one after the other. A mailbox without one of its own is left out,
 * unless there is no SMTP_URL.
 */
async function tryMailboxes(
  mailboxes: readonly MailboxServer[],
  { smtp, mailboxKey }: Config,
): Promise<string | CheckResult> {
  const { serverOf } = await import('../../../mail/smtp/mailbox-pools.ts');
  const { greet } = await import('../../../mail/smtp/send-test-mail.ts');
  const own = mailboxes.filter(({ smtpUrl }) => smtp.kind === 'none' || smtpUrl !== null);
  const wrong: string[] = [];
  for (const mailbox of own) {
    try {
      const session = await greet(
        serverOf({ ...mailbox, disabled: false }, { smtpUrl: undefined, mailboxKey }),
      );
      session.quit();
    } catch (error) {
      wrong.push(`${mailbox.address}: ${(error as Error).message}`);
    }
  }
  if (wrong.length > 0) return { result: 'failed', detail: wrong.join('; ') };
  if (mailboxes.length === 0) return { result: 'warning', detail: 'there is none to send from' };
  if (own.length === 0) return off('all use SMTP_URL');
  return own.length === 1 ? '1 server answers' : `${count(own.length, 'server')} answer`;
}

async function checkOutbox(desk: Connection): Promise<string | CheckResult> {
  const { openDatabase } = await import('../../../db/database.ts');
  const { whyHeld } = await import('../../../mail/outbox/holding/home.ts');
  await using database = openDatabase(desk, { poolSize: 2, applicationName: 'ticketwire-doctor' });
  const why = await whyHeld(database.raw);
  return why === undefined
    ? 'sending is not held'
    : { result: 'warning', detail: `the outbox is held: ${why}` };
}
