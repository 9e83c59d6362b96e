import type { Config } from '../config.ts';
import type { Database } from '../db/database.ts';
import { type DemoDesk, retireDemoAccounts, seedDemoDesk } from '../dev/demo/seed-desk.ts';
import type { Logger } from '../platform/log.ts';

/**
 * Creates the demo desk, or removes the passwords of an existing one. With `config.demo` (an embedded
 * database, and a HOST that only this machine can reach), an empty database becomes the demo desk, and in an
 * earlier demo desk the passwords that were removed are restored. With an embedded database and another HOST,
 * the passwords of the demo users are removed with a warning in the log, because they are public. A database
 * with a URL is left unchanged.
 * @returns the credentials of the demo desk; undefined without `config.demo`, when the database had users of
 *   its own, or when a demo user has another password or is disabled
 */
export async function prepareDemo(
  config: Config,
  { desk }: Database,
  log: Logger,
): Promise<DemoDesk | undefined> {
  if (config.demo) return seedDemoDesk(desk);
  if (config.database.kind === 'embedded' && (await retireDemoAccounts(desk)) > 0)
    log.warn(
      'the passwords of the demo accounts were removed, because HOST lets other machines reach the gateway',
    );
  return undefined;
}
