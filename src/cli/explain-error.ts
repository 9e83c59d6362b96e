import { ConfigError } from '../config.ts';
import { describeFault, describeStartError } from '../describe-start-error.ts';
import { brokenConstraint, errorCodeOf } from '../platform/database-faults.ts';
import { CommandError, UsageError } from './command.ts';

/** What a violated unique constraint refers to. */
const taken: ReadonlyMap<string, string> = new Map(
  Object.entries({
    users_login_key: 'a user with this login',
    mailboxes_address_key: 'a mailbox with this address',
    tickets_reference_key: 'a ticket with this reference',
  }),
);

/**
 * A SQLSTATE: five digits and capitals, at least one of them a digit. Node's codes, such as EPERM, have no
 * digit.
 */
const sqlStatePattern = /^(?=.*\d)[0-9A-Z]{5}$/;

/**
 * Words an error of a command for its user. The message of a UsageError or CommandError is returned as it is.
 * Errors of a start are worded by `describeStartError`, and errors of the database without the SQL and the
 * rows that their messages quote. An unexpected error is returned with its stack.
 * @returns one or more lines, without a line break at the end
 */
export function explain(error: unknown): string {
  if (error instanceof UsageError || error instanceof CommandError) return error.message;
  if (error instanceof ConfigError) return `Invalid settings:\n${error.message}`;
  const known = describeStartError(error);
  if (known !== undefined) return known;
  const state = errorCodeOf(error);
  if (state === undefined || !sqlStatePattern.test(state)) return describeFault(error);
  const constraint = brokenConstraint(error);
  if (state === '23505')
    return `There is ${taken.get(constraint ?? '') ?? 'one with this name or id'} already.`;
  return `The database rejected the change (${state}${constraint === undefined ? '' : `, ${constraint}`}).`;
}
