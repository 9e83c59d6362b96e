import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { type Address, openSocket, type Security } from './socket.ts';

/**
 * One connection's bytes, as postgres.js asks for them by its documented option `socket`. It follows both
 * directions from message to message, and knows by that what the driver does not tell: which backend answers,
 * and since when an answer is waited for.
 */
export interface Wire extends EventEmitter {
  /** The backend's process id, once the server has said it. */
  readonly pid: number | undefined;
  readonly openedAt: number;
  /** When the server was last heard. As all instants here by `performance.now()`. */
  readonly heardAt: number;
  /** Since when an answer is waited for and nothing at all was heard; undefined: no answer is waited for. */
  readonly silentSince: number | undefined;
  /** Ends the connection; what waits for an answer fails with the error. */
  fail(error: Error): void;
}

type Fields = Partial<Record<string, string>>;
const message = (letter: string) => letter.charCodeAt(0);
const [errorResponse, backendKey, ready] = [message('E'), message('K'), message('Z')];
const [parameterDescription, describe, sync, query] = [
  message('t'),
  message('D'),
  message('S'),
  message('Q'),
];
const cancelRequest = 80_877_102;
/** What is sent before the first `ReadyForQuery` has no letter, or is a password. */
const headBytes = 5;
/** A server that is gone does not close its side. */
const closeMs = 1000;

/**
 * @param host for a host that has several addresses or a server that moves, asked anew for each connection
 */
export function openWire(address: Address, security: Security | undefined): Wire {
  const openedAt = performance.now();
  const events = new EventEmitter();
  let stream: Socket | undefined;
  let closed = false;
  let fatal: Error | undefined;
  let pid: number | undefined;
  let heardAt = openedAt;
  let askedAt = openedAt;
  let isStarting = true;
  let isCancel = false;
  let wroteFirst = false;
  /**
   * Answers that are waited for: each `Sync` ends in a `ReadyForQuery`, each `Describe` begins with its
   * parameters.
   */
  let syncs = 0;
  let describes = 0;
  /**
   * Bytes of a message that has not arrived whole, and how much of one that is passed on as it comes is still
   * to arrive.
   */
  let held: Buffer = Buffer.alloc(0);
  let passing = 0;
  const early: Buffer[] = [];

  const isWaiting = () => isStarting || syncs > 0 || describes > 0;

  function end(error: Error | undefined): void {
    if (closed) return;
    closed = true;
    stream?.destroy();
    socket.destroy();
    // To the driver an `error` is one of all that is under way; a connection that nobody uses is only gone.
    if (error !== undefined && isWaiting()) events.emit('error', error);
    events.emit('close', false);
  }

  function count(chunk: Buffer): void {
    if (!isWaiting()) askedAt = performance.now();
    for (let at = 0; at + headBytes <= chunk.length; at += 1 + chunk.readUInt32BE(at + 1)) {
      const letter = chunk[at];
      if (letter === sync || letter === query) syncs += 1;
      else if (letter === describe) describes += 1;
    }
  }

  /** Looks at a message that arrived whole. @returns whether the driver is to have it */
  function look(letter: number, body: Buffer): boolean {
    if (letter === backendKey) pid = body.readUInt32BE(0);
    else if (letter === errorResponse) {
      fatal = fatalOf(body);
      describes = Math.max(0, describes - 1);
    } else if (isStarting) isStarting = false;
    else syncs = Math.max(0, syncs - 1);
    return fatal === undefined;
  }

  /**
   * Bytes that have to be there before a message is passed on. Of an error, its connection's end or the
   * `ReadyForQuery` behind it.
   */
  function needed(letter: number, data: Buffer, at: number, size: number): number {
    if (letter !== errorResponse || syncs === 0 || at + size > data.length) return size;
    return fatalOf(data.subarray(at + headBytes, at + size)) === undefined ? withReady(data, at) : size;
  }

  /** Passes on what arrived, up to the first message that is to be seen whole and is not yet. */
  function read(chunk: Buffer): void {
    heardAt = performance.now();
    const data = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let at = Math.min(passing, data.length);
    passing -= at;
    while (data.length - at >= headBytes) {
      const letter = data[at]!;
      const size = 1 + data.readUInt32BE(at + 1);
      if (letter === errorResponse || letter === backendKey || letter === ready) {
        if (at + needed(letter, data, at, size) > data.length) break;
        if (!look(letter, data.subarray(at + headBytes, at + size))) break;
        at += size;
        continue;
      }
      if (letter === parameterDescription) describes = Math.max(0, describes - 1);
      const taken = Math.min(size, data.length - at);
      passing = size - taken;
      at += taken;
    }
    held = data.subarray(at);
    if (at > 0) events.emit('data', at === data.length ? data : data.subarray(0, at));
    if (fatal !== undefined) end(fatal);
  }

  const socket = openSocket(address, security, (opened) => {
    stream = opened;
    opened.on('data', read);
    opened.on('error', end);
    opened.on('drain', () => events.emit('drain'));
    opened.on('close', () => end(goneError(isStarting ? 'while it was being opened' : 'by the server')));
    for (const chunk of early.splice(0)) opened.write(chunk);
  });
  if (stream !== socket) {
    socket.on('error', end);
    socket.on('close', () => end(goneError('while it was being opened')));
  }

  const methods = {
    fail: end,
    destroy: (error?: Error) => end(error ?? goneError('by this side')),
    write(chunk: Buffer, done?: () => void): boolean {
      if (closed) return true;
      if (wroteFirst) count(chunk);
      else isCancel = chunk.length === 16 && chunk.readUInt32BE(4) === cancelRequest;
      if (isCancel) isStarting = false;
      wroteFirst = true;
      if (stream !== undefined) return stream.write(chunk, done);
      early.push(chunk);
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
  return Object.defineProperties(Object.assign(events, methods), {
    readyState: { get: () => (closed ? 'closed' : 'open') },
    pid: { get: () => pid },
    openedAt: { value: openedAt },
    heardAt: { get: () => heardAt },
    silentSince: { get: () => (isWaiting() && !closed ? Math.max(askedAt, heardAt) : undefined) },
  }) as Wire & typeof methods;
}

/** Bytes from an error to the end of the `ReadyForQuery` that follows it, or more than there are. */
function withReady(data: Buffer, from: number): number {
  let at = from;
  while (data.length - at >= headBytes) {
    const letter = data[at];
    at += 1 + data.readUInt32BE(at + 1);
    if (letter === ready) return at - from;
  }
  return Number.POSITIVE_INFINITY;
}

/** An error's fields by their letters: `S` and `V` severity, `C` SQLSTATE, `M` message. */
function fieldsOf(body: Buffer): Fields {
  const texts = body.toString('utf8').split('\0').filter(Boolean);
  return Object.fromEntries(texts.map((text) => [text[0], text.slice(1)]));
}

/** The error that a connection ends with; undefined for one of a statement. */
function fatalOf(body: Buffer): Error | undefined {
  const { M = 'The database ended the connection', C, V, S } = fieldsOf(body);
  const severity = V ?? S;
  if (severity !== 'FATAL' && severity !== 'PANIC') return undefined;
  return Object.assign(new Error(M), { name: 'PostgresError', code: C, severity });
}

const goneError = (how: string): Error =>
  Object.assign(new Error(`The connection to the database was closed ${how}`), { code: 'CONNECTION_CLOSED' });
