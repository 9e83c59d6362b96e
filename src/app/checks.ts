import { existsSync } from 'node:fs';
import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import { type Config, ConfigError } from '../config.ts';
import type { Database } from '../db/database.ts';
import { attachments, mailboxes } from '../db/tables.ts';
import { type DemoDesk, retireDemoAccounts, seedDemoDesk } from '../dev/demo/desk.ts';
import { explorerDist } from '../dev/explorer/build.ts';
import type { Logger } from '../platform/log.ts';

/** @throws ConfigError when EXPLORER is set and the page is not built: that takes the development packages */
export function assertExplorerBuilt({ explorer, production }: Config): void {
  if (explorer && production && !existsSync(`${explorerDist}/index.html`))
    throw new ConfigError(
      'EXPLORER: the page is not built; `npm ci` with the development packages builds it, ' +
        'and dist/ can be copied from another machine',
    );
}

/** @throws ConfigError when no mail could ever be sent: otherwise the desk would find out by the silence */
export async function assertSends(smtpUrl: string | undefined, { desk }: Database): Promise<void> {
  if (smtpUrl !== undefined) return;
  const own = await desk.$count(mailboxes, and(isNotNull(mailboxes.smtpUrl), isNull(mailboxes.disabledAt)));
  if (own > 0) return;
  throw new ConfigError(
    'SMTP_URL: is required as long as no mailbox has SMTP settings of its own ' +
      '("inbox:" is the development inbox)',
  );
}

/** Creates the demo desk, or closes its accounts, whose passwords are public, when others can reach HOST. */
export async function prepareDemo(
  config: Config,
  { desk }: Database,
  log: Logger,
): Promise<DemoDesk | undefined> {
  if (config.demo) return seedDemoDesk(desk);
  if (config.database.kind === 'embedded' && (await retireDemoAccounts(desk)) > 0)
    log.warn('the demo accounts are disabled, because HOST can be reached by others');
  return undefined;
}

/** Files that wait for a scanner that is no longer configured would hold up their mails for ever. */
export async function warnOfUnscanned({ desk }: Database, log: Logger): Promise<void> {
  const files = await desk.$count(attachments, eq(attachments.scan, 'PENDING'));
  if (files > 0)
    log.warn({ files }, 'files wait for a scan, and CLAMD_URL is not set: their mails are not sent');
}
