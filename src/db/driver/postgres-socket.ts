import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DatabaseTls } from '../../settings/database-url.ts';
import { openSocket, type ServerAddress } from './open-socket.ts';
import { ProtocolState } from './protocol-state.ts';
import { Session } from './session/session.ts';
import type { SessionSettings } from './session/session-setup.ts';

/**
 * One connection to PostgreSQL, in the form that postgres.js's documented option `socket` takes: a stream of
 * bytes. It reads the protocol in both directions, so that it can expose what the driver does not: which
 * backend answers, and how long an answer has been outstanding. All instants are by `performance.now()`.
 */
export interface Wire extends EventEmitter {
  /** The backend's process id, once it is known. */
  readonly pid: number | undefined;
  /** When `openWire` was called. */
  readonly openedAt: number;
  /**
   * Whether the connection leads to a pooler. Known when the settings are set; false before, or without any.
   */
  readonly isPooled: boolean;
  /** When the server last sent anything; before that, `openedAt`. */
  readonly heardAt: number;
  /** When the server last refused a write as read-only; `-Infinity` if it never did. */
  readonly refusedAt: number;
  /**
   * Since when an answer is outstanding and nothing has arrived. An answer is outstanding while the
   * connection is being opened, too. Undefined: none is outstanding, or the connection is closed.
   */
  readonly silentSince: number | undefined;
  /**
   * Closes the connection. Statements that wait for an answer fail with the error, and in an open transaction
   * so does each further one until the transaction ends.
   */
  fail(error: Error): void;
}

/** `AuthenticationCleartextPassword`. */
const askPassword = Buffer.from([82, 0, 0, 0, 8, 0, 0, 0, 3]);
/** A password takes at least six of the 1024 bytes. */
const maxTurns = 1000;
/** How long the server has to close its side, milliseconds: one that is gone never does. */
const closeMs = 1000;

/**
 * Starts to open a connection, and returns at once. A failure emits `error`, only if an answer is
 * outstanding, and then `close`. In an open transaction, `close` comes only when the driver has ended the
 * transaction: until then each statement fails with another `error`. A host name is resolved anew for each
 * connection, because it may have several addresses, and servers move.
 * @param tls undefined: no TLS
 * @param settings run-time parameters that are set before the driver may use the connection; undefined: none,
 *   and a pooler is not recognized
 */
export function openWire(
  address: ServerAddress,
  tls: DatabaseTls | undefined,
  settings?: SessionSettings | undefined,
): Wire {
  const openedAt = performance.now();
  const protocol = new ProtocolState(openedAt);
  const session = settings && new Session(settings);
  const events = new EventEmitter();
  let stream: Socket | undefined;
  let closed = false;
  let lost: Error | undefined;
  let isStuck = false;
  const early: Buffer[] = [];

  function end(error: Error | undefined): void {
    if (closed) return;
    closed = true;
    stream?.destroy();
    socket.destroy();
    // The driver fails every statement in progress on `error`. A connection without any is just closed.
    if (error !== undefined && protocol.isWaiting) {
      events.emit('error', error);
      if (!protocol.isStarting) events.emit('data', protocol.conclusion());
    }
    // After `close` the driver must not write. In a transaction it still does, at least its rollback.
    if (protocol.isTransactionOpen) lost = error ?? goneError('by this side');
    else events.emit('close', false);
  }

  /** Fails a statement of a transaction whose connection is lost. The transaction's end closes the wire. */
  async function failLate(error: Error, chunk: Buffer): Promise<void> {
    protocol.sent(chunk);
    const isOver = !protocol.isTransactionOpen;
    if (isOver) lost = undefined;
    await nextTurn();
    events.emit('error', error);
    if (isOver) events.emit('close', false);
  }

  /**
   * The driver sends its first message one turn after it got the wire. If it does not, it is waiting for a
   * flush that it cancelled when it lost the connection before. It flushes once it has 1024 bytes, so it is
   * made to send passwords until then. `write` discards them.
   */
  async function unstick(): Promise<void> {
    await nextTurn();
    for (let turns = 0; turns < maxTurns && !closed && !protocol.hasBegun; turns += 1) {
      isStuck = turns > 2;
      if (isStuck) events.emit('data', askPassword);
      await nextTurn();
    }
  }

  function receive(chunk: Buffer): void {
    const heard = session?.received(chunk, (message) => stream?.write(message)) ?? chunk;
    const data = protocol.received(heard);
    const error = protocol.fatal ?? session?.error;
    // The driver answers a request for a password a microtask later. If the wire had closed in between, its
    // answer would end the process.
    const isLate = error !== undefined && protocol.isStarting;
    // So it is known that no statement was sent, whatever the server calls it.
    if (isLate) Object.assign(error, { isOfOpening: true });
    if (data.length > 0 && !isLate) events.emit('data', data);
    if (error !== undefined) end(error);
  }

  function sending(chunk: Buffer): Buffer {
    if (session !== undefined) return session.sending(chunk, protocol);
    protocol.sent(chunk);
    return chunk;
  }

  const socket = openSocket(address, tls, (opened) => {
    stream = opened;
    opened.on('data', receive);
    opened.on('error', (error) => end(protocol.isStarting ? error : brokenError(error)));
    opened.on('close', () => end(goneError(protocol.isStarting ? whileOpening : 'by the server')));
    for (const chunk of early.splice(0)) opened.write(chunk);
  });
  if (stream !== socket) {
    socket.on('error', end);
    socket.on('close', () => end(goneError(whileOpening)));
  }

  const methods = {
    fail: end,
    destroy: (error?: Error) => end(error ?? goneError('by this side')),
    write(chunk: Buffer, done?: () => void): boolean {
      if (lost !== undefined) void failLate(lost, chunk);
      // The driver opens another connection, and its flush works again when this returns.
      if (isStuck && !protocol.hasBegun) end(undefined);
      if (closed) return true;
      const bytes = sending(chunk);
      if (stream !== undefined) return stream.write(bytes, done);
      early.push(bytes);
      return true;
    },
    end(chunk: Buffer): void {
      if (closed) return;
      if (stream === undefined) return end(undefined);
      stream.end(chunk);
      setTimeout(end, closeMs, undefined).unref();
    },
    pause: () => stream?.pause(),
    resume: () => stream?.resume(),
  };
  void unstick();
  return Object.defineProperties(Object.assign(events, methods), {
    readyState: { get: () => (closed ? 'closed' : 'open') },
    pid: { get: () => (session ?? protocol).pid },
    openedAt: { value: openedAt },
    isPooled: { get: () => session?.isPooled === true },
    heardAt: { get: () => protocol.heardAt },
    refusedAt: { get: () => protocol.refusedAt },
    silentSince: { get: () => silentSince() },
  }) as Wire & typeof methods;

  function silentSince(): number | undefined {
    return protocol.isWaiting && !closed ? Math.max(protocol.askedAt, protocol.heardAt) : undefined;
  }
}

/** Errors of TLS have any code of OpenSSL's. Those of a socket keep theirs. */
const brokenError = (cause: Error & { code?: string }): Error =>
  /^(ERR_|EPROTO)/.test(cause.code ?? 'ERR_')
    ? Object.assign(new Error('The connection to the database broke', { cause }), {
        code: 'CONNECTION_BROKEN',
      })
    : cause;

const whileOpening = 'while it was being opened';

const goneError = (how: string): Error =>
  Object.assign(new Error(`The connection to the database was closed ${how}`), { code: 'CONNECTION_CLOSED' });
