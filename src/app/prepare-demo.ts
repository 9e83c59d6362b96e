import type { Config } from '../config.ts';
import type { Database } from '../db/database.ts';
import { type DemoDesk, retireDemoAccounts, seedDemoDesk } from '../dev/demo/desk.ts';
import type { Logger } from '../platform/log.ts';

/**
 * Creates the demo desk, or makes one that exists safe. With `config.demo`, an empty database becomes the
 * demo desk, and an earlier demo desk gets its passwords back. Otherwise the passwords of demo users are
 * removed from an embedded database, because others may reach the gateway and the passwords are public. Any
 * other database is left unchanged.
 * @returns the credentials of the demo desk; undefined without `config.demo`, or when the desk is in real use
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
