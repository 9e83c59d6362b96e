import { bindMessage, headBytes, letters, sizeAt } from './protocol-messages.ts';

/** The state of the protocol that the guard needs. */
export interface Statements {
  /** Whether the driver will send more for a transaction, by what it has sent so far. */
  readonly isTransactionOpen: boolean;
  /** Called with everything that the driver sends, in order. */
  sent(chunk: Buffer): void;
}

/**
 * Keeps a connection through a pooler from executing a statement in a session that is not its own. A pooler
 * whose `pool_mode` is not `session` gives each transaction any session that is free, with the role and the
 * row access of the client that had it before, and its administrator may change the mode while the program
 * runs.
 *
 * Each statement outside of a transaction is preceded by the `Bind` of a prepared statement that only this
 * connection's session has. In another session it fails, and the server skips what follows it. If it
 * succeeds, its answer is withheld from the driver.
 */
export class SessionGuard {
  readonly #bind: Buffer;
  /** Whether what the driver sends next begins a statement. */
  #isBeginning = true;
  /** For each outstanding answer, whether it begins with the guard's. */
  readonly #guarded: boolean[] = [];
  /** The incomplete head of a message. */
  #head: Buffer = Buffer.alloc(0);
  /** How much is still to arrive of a message whose head has been passed on. */
  #passing = 0;

  /** @param mark name of the prepared statement */
  constructor(mark: string) {
    this.#bind = bindMessage(mark);
  }

  /**
   * Called with each chunk of whole messages that the driver sends.
   * @returns what is sent to the server
   */
  sending(chunk: Buffer, statements: Statements): Buffer {
    const parts: Buffer[] = [];
    for (let at = 0; at + headBytes <= chunk.length; ) {
      const end = endOfStatement(chunk, at);
      const part = chunk.subarray(at, end.at);
      const letter = chunk[at];
      if (this.#isBeginning && letter !== letters.terminate) {
        const isGuarded = letter !== letters.sync && !statements.isTransactionOpen;
        this.#guarded.push(isGuarded);
        if (isGuarded) parts.push(this.#bind);
      }
      this.#isBeginning = end.isEnd;
      statements.sent(part);
      parts.push(part);
      at = end.at;
    }
    return Buffer.concat(parts);
  }

  /** Called with each chunk that the server sends. @returns what the driver gets */
  received(chunk: Buffer): Buffer {
    const data = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    const passed: Buffer[] = [];
    let from = 0;
    let at = Math.min(this.#passing, data.length);
    this.#passing -= at;
    while (data.length - at >= headBytes) {
      const letter = data[at];
      const size = sizeAt(data, at);
      const taken = Math.min(size, data.length - at);
      if (letter === letters.ready) this.#guarded.shift();
      if (letter === letters.bindComplete && this.#guarded[0] === true) {
        this.#guarded[0] = false;
        passed.push(data.subarray(from, at));
        from = at + taken;
      }
      this.#passing = size - taken;
      at += taken;
    }
    this.#head = data.subarray(at);
    passed.push(data.subarray(from, at));
    return passed.length === 1 ? passed[0]! : Buffer.concat(passed);
  }
}

/** Where the statement that begins here, or continues, ends in the chunk. */
function endOfStatement(chunk: Buffer, from: number): { at: number; isEnd: boolean } {
  let at = from;
  while (at + headBytes <= chunk.length) {
    const letter = chunk[at];
    at += sizeAt(chunk, at);
    if (letter === letters.sync || letter === letters.query) return { at, isEnd: true };
  }
  return { at: chunk.length, isEnd: false };
}
