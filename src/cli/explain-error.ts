import { ConfigError } from '../config.ts';
import { brokenConstraint, sqlState } from '../platform/database-faults.ts';
import { describeStartError } from '../start-error.ts';
import { CommandError, UsageError } from './command.ts';

/** What a violated unique constraint refers to. */
const taken: Readonly<Record<string, string>> = {
  users_login_key: 'a user with this login',
  mailboxes_address_key: 'a mailbox with this address',
  tickets_reference_key: 'a ticket with this reference',
};

/**
 * The message that is printed for an error of a command. Messages of the database driver are not shown,
 * because they quote SQL and rows. An unexpected error is shown with its stack.
 */
export function explain(error: unknown): string {
  if (error instanceof UsageError || error instanceof CommandError) return error.message;
  if (error instanceof ConfigError) return `Invalid settings:\n${error.message}`;
  const known = describeStartError(error);
  if (known !== undefined) return known;
  const state = sqlState(error);
  if (state === undefined || !/^[0-9A-Z]{5}$/.test(state))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const constraint = brokenConstraint(error);
  if (state === '23505') return `There is ${taken[constraint ?? ''] ?? 'one with this name or id'} already.`;
  return `The database rejected the change (${state}${constraint === undefined ? '' : `, ${constraint}`}).`;
}
