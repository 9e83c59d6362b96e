import { Unavailable } from './errors.ts';

/** An error with a code: the SQLSTATE from the server, or a code of the driver or of Node. */
interface CodedError extends Error {
  readonly code: string;
  readonly path?: unknown;
  readonly severity?: unknown;
  /** True if the server refused to open the connection, so that the statement was not sent. */
  readonly isOfOpening?: unknown;
}

function firstWithCode(error: unknown): CodedError | undefined {
  for (let at = error; at instanceof Error; at = at.cause)
    if (typeof (at as { code?: unknown }).code === 'string') return at as CodedError;
  return undefined;
}

/**
 * The first code among the error and its causes: a SQLSTATE if the server rejected a statement, and otherwise
 * a code of the driver or of Node. Undefined if none has a code.
 */
export const errorCodeOf = (error: unknown): string | undefined => firstWithCode(error)?.code;

/**
 * Whether this is Drizzle's wrapper of an error, whose message quotes the statement and its parameters. The
 * causes of the error are not searched.
 */
export const isFailedQuery = (error: Error): boolean =>
  error.name === 'DrizzleQueryError' || error.message.startsWith('Failed query');

/**
 * SQLSTATEs of connection faults, of statement timeouts (57014), of lock timeouts (55P03), of a server that
 * became a standby (25006), of a transaction that lasted too long (25P03, 25P04), and of deadlocks and
 * serialization failures that outlasted the retries. A login that is refused (28) or a database that is
 * missing (3D000) while the program runs is about to change: a password is rotated, or a dump restored.
 */
const temporaryStates = /^(08|28|3D000|57P0|57014|53|55P03|25006|25P03|25P04|40001|40P01)/;
/** Codes of the driver and of Node. */
const temporaryCodes =
  /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EMFILE|ENFILE)/;
/** Of these, the ones after which nothing was written: the statement was not sent, or was rolled back. */
const nothingDone = new RegExp(
  '^(28|3D000|57P03|57014|53|55P03|25006|40001|40P01|' +
    'CONNECT_TIMEOUT|ECONNREFUSED|ENOENT|ENOTFOUND|EAI_AGAIN|EMFILE|ENFILE)',
);

/**
 * Whether the server itself failed, and ended. It may do so while it writes the log of a commit, which its
 * next start may find complete.
 */
const endsServer = ({ code, severity }: CodedError): boolean =>
  severity === 'PANIC' || (severity === 'FATAL' && /^(58|XX)/.test(code));

/**
 * Whether a call on a file failed. Its message begins with the code, and that of a socket with the call. Most
 * have a `path`; those of an open file have none.
 */
const isOfFile = ({ path, message, code }: CodedError): boolean =>
  path !== undefined || (code.startsWith('E') && message.startsWith(`${code}: `));

/**
 * Returns an `Unavailable` for errors of a database that is down, starting, ending, slow or full, that opens
 * no connection or is missing, and for lock timeouts, transactions that took too long, deadlocks and
 * serialization failures. It says to retry after 2 s and whether certainly nothing was written, and has the
 * error as its cause. If the error or one of its causes is an `Unavailable`, that one is returned. Any other
 * error is returned unchanged, errors of files among them, which may have the same codes.
 */
export function asUnavailable(error: unknown): unknown {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Unavailable) return at;
  const coded = firstWithCode(error);
  if (coded === undefined || isOfFile(coded)) return error;
  const state = coded.code;
  const isEnd = endsServer(coded);
  const isOpening = coded.isOfOpening === true;
  if (!isEnd && !isOpening && !temporaryStates.test(state) && !temporaryCodes.test(state)) return error;
  const options = { cause: error, nothingWritten: isOpening || (!isEnd && nothingDone.test(state)) };
  return isLockTimeout(error)
    ? new Unavailable('Another request holds a lock that this one needs; nothing was written', 2, options)
    : new Unavailable('The database is not responding', 2, options);
}

/**
 * Waits for what a command reads after its commit. Its faults do not say that nothing was written.
 * @throws what `reading` throws, as `asUnavailable` returns it
 */
export const afterCommit = <T>(reading: Promise<T>): Promise<T> =>
  reading.catch((error) => {
    const fault = asUnavailable(error);
    if (!(fault instanceof Unavailable)) throw fault;
    throw new Unavailable(fault.message, fault.retryAfterSeconds, { cause: fault });
  });

/**
 * Whether the server rejected a statement, which was rolled back: the error has a SQLSTATE, and did not end
 * the session.
 */
export function isRejected(error: unknown): boolean {
  const coded = firstWithCode(error);
  if (coded === undefined || coded.severity === 'FATAL' || coded.severity === 'PANIC') return false;
  return /^(?:\d|F0|HV|P0|XX)[\dA-Z]+$/.test(coded.code);
}

/**
 * Whether the server cannot run a statement whatever the rows are (SQLSTATE class 42): a grant, a column or a
 * function is missing.
 */
export const isOfStatement = (error: unknown): boolean => errorCodeOf(error)?.startsWith('42') ?? false;

/**
 * Whether the server rejected a statement for a reason that may lie in a single one of its rows, such as one
 * that breaks a constraint. A repetition will meet it again.
 */
export const mayBeOfOneRow = (error: unknown): boolean =>
  isRejected(error) && !isOfStatement(error) && !(asUnavailable(error) instanceof Unavailable);

/** Whether the server gave up waiting for a lock (55P03), and rolled the statement back. */
export const isLockTimeout = (error: unknown): boolean => errorCodeOf(error) === '55P03';

/**
 * The one of these tables for whose row, or for a key of which, the server gave up waiting. Undefined for
 * another table, and for the lock of a whole table. The server says it in the context of the error alone,
 * whose words depend on its language.
 */
export function lockedTableOf<T extends string>(error: unknown, tables: readonly T[]): T | undefined {
  const { where } = (firstWithCode(error) ?? {}) as { where?: unknown };
  if (!isLockTimeout(error) || typeof where !== 'string') return undefined;
  const words = new Set(where.split(/\W+/));
  return tables.find((table) => words.has(table));
}

/**
 * Whether the server rolled back because of another transaction (a deadlock or a serialization failure), so
 * that a retry may succeed.
 */
export const isConflict = (error: unknown): boolean => ['40001', '40P01'].includes(errorCodeOf(error) ?? '');

/**
 * Whether the server refuses to open a connection for another reason than its load or its state, as when it
 * rejects the login or has no such database: at a start, a mistake in a setting.
 */
export function isRejectedLogin(error: unknown): boolean {
  const coded = firstWithCode(error);
  if (coded === undefined) return false;
  const isPassing = temporaryStates.test(coded.code) || temporaryCodes.test(coded.code);
  return /^(28|3D000)/.test(coded.code) || (coded.isOfOpening === true && !isPassing);
}

/**
 * Whether a read that met this error may be answered on another connection or by another server: the server
 * was lost, is starting or full, or opened no connection. A statement that took too long (57014) would take
 * as long elsewhere, and one that met a conflict was answered.
 */
export const mayAnswerElsewhere = (error: unknown): boolean =>
  ![undefined, '57014'].includes(errorCodeOf(error)) &&
  !isConflict(error) &&
  asUnavailable(error) instanceof Unavailable;

/** Name of the constraint that a row violates; undefined for any other error. */
export function brokenConstraint(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { constraint_name: name } = at as { constraint_name?: unknown };
    if (typeof name === 'string') return name;
  }
  return undefined;
}
