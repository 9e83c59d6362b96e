import type { Config } from '../config.ts';
import type { Database } from '../db/database.ts';
import { type DemoDesk, retireDemoAccounts, seedDemoDesk } from '../dev/demo/desk.ts';
import type { Logger } from '../platform/log.ts';

/**
 * Creates the demo desk. When others can reach HOST, it disables the demo accounts instead, because their
 * passwords are public.
 * @returns the credentials of the demo desk; undefined when there is none
 */
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
