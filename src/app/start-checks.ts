import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import { type Config, ConfigError } from '../config.ts';
import type { Database } from '../db/database.ts';
import { attachments, mailboxes } from '../db/tables.ts';
import { whyNotBuilt } from '../dev/explorer/build.ts';
import type { Logger } from '../platform/log.ts';

/**
 * Asserts that GraphiQL can be served when EXPLORER asks for it in production. Elsewhere nothing is checked.
 * @throws ConfigError when the page is not built
 */
export function assertExplorerBuilt({ explorer, production }: Config): void {
  const missing = explorer && production ? whyNotBuilt() : undefined;
  if (missing !== undefined) throw new ConfigError(`EXPLORER: ${missing}`);
}

/**
 * Asserts that there is a server for mail, because mails would stay queued without an error otherwise. Does
 * not connect to it.
 * @param smtpUrl the server of mailboxes without settings of their own, if there is one
 * @throws ConfigError when there is neither `smtpUrl` nor an enabled mailbox with SMTP settings of its own
 */
export async function assertCanSend(smtpUrl: string | undefined, { desk }: Database): Promise<void> {
  if (smtpUrl !== undefined) return;
  const own = await desk.$count(mailboxes, and(isNotNull(mailboxes.smtpUrl), isNull(mailboxes.disabledAt)));
  if (own > 0) return;
  throw new ConfigError(
    'SMTP_URL: is required as long as no mailbox has SMTP settings of its own ' +
      '("inbox:" is the development inbox)',
  );
}

/**
 * Logs a warning when files wait for a scan. It is for a process without CLAMD_URL: unless another process
 * scans them, mails with these files are never sent.
 */
export async function warnOfUnscannedFiles({ desk }: Database, log: Logger): Promise<void> {
  const files = await desk.$count(attachments, eq(attachments.scan, 'PENDING'));
  if (files > 0)
    log.warn({ files }, 'files wait for a scan, and CLAMD_URL is not set: their mails are not sent');
}
