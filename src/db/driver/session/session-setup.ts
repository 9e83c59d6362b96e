import { randomBytes } from 'node:crypto';
import { firstColumnOf, headBytes, letters, queryMessage, sizeAt } from './protocol-messages.ts';
import { errorOf, markPrefix } from './server-error.ts';

/** Run-time parameters of a connection: values by name. Neither may contain a quote. */
export type SessionSettings = Readonly<Record<string, string | SettingWhere>>;

/** A parameter that is set only where a condition in SQL holds when the connection is opened. */
export interface SettingWhere {
  readonly value: string;
  readonly where: string;
}

/** The process of PostgreSQL that a connection is served by. */
export interface ServerProcess {
  readonly pid: number;
  /** Whether the connection leads to a pooler, which has another process id for each of its clients. */
  readonly isPooled: boolean;
}

/**
 * Sets a connection's run-time parameters before the driver may use it. The driver would send them in its
 * startup message, where PgBouncer refuses most of them; as a statement they pass. The `ReadyForQuery` with
 * which the server opens the connection is held until the server has answered the statement, so no statement
 * of the driver ever runs without the parameters. What an earlier client left in the session is reset first.
 */
export class SessionSetup {
  /** The name of a prepared statement that only this connection's session has. */
  readonly mark = markPrefix + randomBytes(8).toString('hex');
  /** Undefined until the parameters are set. */
  server: ServerProcess | undefined;
  /** Why they could not be set; undefined if they could, or are not set yet. */
  error: Error | undefined;
  readonly #settings: SessionSettings;
  /** The incomplete message at the end of what arrived. */
  #rest: Buffer = Buffer.alloc(0);
  #keyPid: number | undefined;
  #opening: Buffer | undefined;
  #pid: number | undefined;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  /**
   * Called with each chunk that the server sends, until `server` or `error` is there.
   * @param send sends a message to the server; called once, with the statement that sets the parameters
   * @returns what the driver gets
   */
  received(chunk: Buffer, send: (message: Buffer) => void): Buffer {
    const data = Buffer.concat([this.#rest, chunk]);
    const passed: Buffer[] = [];
    let at = 0;
    while (!this.server && !this.error && data.length - at >= headBytes) {
      const size = sizeAt(data, at);
      if (data.length - at < size) break;
      const message = data.subarray(at, at + size);
      at += size;
      passed.push(this.#opening === undefined ? this.#open(message, send) : this.#settle(message));
    }
    this.#rest = data.subarray(at);
    // What follows the statement's answer is the driver's.
    if (this.server !== undefined) passed.push(this.#rest);
    return Buffer.concat(passed);
  }

  #open(message: Buffer, send: (message: Buffer) => void): Buffer {
    if (message[0] === letters.keyData) this.#keyPid = message.readUInt32BE(headBytes);
    if (message[0] !== letters.ready) return message;
    this.#opening = message;
    send(queryMessage(statementsFor(this.#settings, this.mark)));
    return Buffer.alloc(0);
  }

  #settle(message: Buffer): Buffer {
    if (message[0] === letters.errorResponse) this.error = errorOf(message.subarray(headBytes));
    else if (message[0] === letters.dataRow) this.#pid ??= Number(firstColumnOf(message));
    if (message[0] !== letters.ready) return Buffer.alloc(0);
    this.server = { pid: this.#pid!, isPooled: this.#pid !== this.#keyPid };
    return this.#opening!;
  }
}

/**
 * What an earlier client left in the session is removed, because a pooler may not have done so. `deallocate
 * all` removes the marks of other connections, in case the pooler shares the session between them.
 */
const statementsFor = (settings: SessionSettings, mark: string): string =>
  [
    'set role none; reset all; deallocate all; select pg_backend_pid()',
    `select ${Object.entries(settings).map(assignmentOf).join(', ')}`,
    `prepare ${mark} as select`,
  ].join('; ');

const assignmentOf = ([name, setting]: [string, string | SettingWhere]): string =>
  typeof setting === 'string'
    ? `set_config('${name}', '${setting}', false)`
    : `case when ${setting.where} then set_config('${name}', '${setting.value}', false) end`;
