/** The prefix of the names of the prepared statements that mark a session; see session-guard.ts. */
export const markPrefix = 'ticketwire_session_';

type Fields = Partial<Record<string, string>>;

/** An error's fields by their letters: `S` and `V` severity, `C` SQLSTATE, `M` message. */
function fieldsOf(body: Buffer): Fields {
  const texts = body.toString('utf8').split('\0').filter(Boolean);
  return Object.fromEntries(texts.map((text) => [text[0], text.slice(1)]));
}

/**
 * The error of an `ErrorResponse`: a PostgresError whose `code` is the SQLSTATE and whose `severity` is the
 * server's. If the server reports that the prepared statement which marks the session is missing, it is an
 * error with the code CONNECTION_SHARED.
 * @param body the message without its head
 */
export function errorOf(body: Buffer): Error {
  const { M = 'The database ended the connection', C, V, S } = fieldsOf(body);
  // The session of this connection is missing, whatever a pooler calls that.
  if (M.includes(markPrefix)) return sharedError();
  return Object.assign(new Error(M), { name: 'PostgresError', code: C, severity: V ?? S });
}

/**
 * The error of an `ErrorResponse` that ends the connection (FATAL, PANIC or CONNECTION_SHARED); undefined if
 * it is only a statement's.
 * @param body the message without its head
 */
export function fatalOf(body: Buffer): Error | undefined {
  const error = errorOf(body) as Error & { severity?: string };
  const { severity } = error;
  return severity === 'FATAL' || severity === 'PANIC' || isShared(error) ? error : undefined;
}

/**
 * Whether an `ErrorResponse` says that the transaction is read-only, as each one on a standby is.
 * @param body the message without its head
 */
export const isRefusedWrite = (body: Buffer): boolean => fieldsOf(body).C === '25006';

const sharedCode = 'CONNECTION_SHARED';

/** Whether this error says that a pooler shared the connection's session with others (CONNECTION_SHARED). */
export const isShared = (error: unknown): boolean => (error as { code?: unknown }).code === sharedCode;

const sharedError = (): Error =>
  Object.assign(
    new Error(
      'a pooler gives this connection another session of PostgreSQL for each transaction: ' +
        'set pool_mode = session in pgbouncer.ini, for this database and for this login',
    ),
    { code: sharedCode },
  );
