import { SessionGuard, type Statements } from './session-guard.ts';
import { type SessionSettings, SessionSetup } from './session-setup.ts';

/**
 * The session of PostgreSQL that a connection works in. It sets the session's parameters before the driver
 * may use the connection. Behind a pooler, it makes sure that no statement runs in any other session.
 */
export class Session {
  readonly #setup: SessionSetup;
  #guard: SessionGuard | undefined;

  constructor(settings: SessionSettings) {
    this.#setup = new SessionSetup(settings);
  }

  /**
   * The process id of the server's process, once it is known. Behind a pooler, the driver is told another id.
   */
  get pid(): number | undefined {
    return this.#setup.server?.pid;
  }

  /** Whether the connection leads to a pooler; false until the parameters are set. */
  get isPooled(): boolean {
    return this.#guard !== undefined;
  }

  /** Why its parameters could not be set; undefined if they could, or are not set yet. */
  get error(): Error | undefined {
    return this.#setup.error;
  }

  /**
   * Called with each chunk that the server sends.
   * @param send sends a message to the server
   * @returns what the driver gets
   */
  received(chunk: Buffer, send: (message: Buffer) => void): Buffer {
    if (this.#guard !== undefined) return this.#guard.received(chunk);
    if (this.#setup.server !== undefined) return chunk;
    const data = this.#setup.received(chunk, send);
    this.#guardPooled();
    return data;
  }

  #guardPooled(): void {
    const { server, mark } = this.#setup;
    if (server?.isPooled) this.#guard = new SessionGuard(mark);
  }

  /**
   * Called with each chunk that the driver sends.
   * @param statements is told what the driver sends, and says whether a transaction is open
   * @returns what is sent to the server
   */
  sending(chunk: Buffer, statements: Statements): Buffer {
    if (this.#guard !== undefined) return this.#guard.sending(chunk, statements);
    statements.sent(chunk);
    return chunk;
  }
}
