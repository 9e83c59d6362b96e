import { addAbortListener, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Clamd } from '../settings/clamd-url.ts';

/** The scanner's result for a file. */
export type ScanResult =
  | { readonly scan: 'CLEAN' }
  /** `found`: the name of the signature. */
  | { readonly scan: 'INFECTED'; readonly found: string };

/**
 * The scanner could not be connected to within 10 seconds, closed the connection, or five minutes passed in
 * which nothing was sent or received. Files have to wait.
 */
export class ScannerUnavailable extends Error {
  override readonly name = 'ScannerUnavailable';
}

/**
 * The scanner sent a reply that is no result, for example because the file exceeds StreamMaxLength. The
 * message is that reply, cut to 200 characters.
 */
export class ScanRefused extends Error {
  override readonly name = 'ScanRefused';
}

/** Milliseconds in which nothing is sent or received: to scan an archive of a gigabyte takes minutes. */
const timeoutMs = 5 * 60_000;
/** Milliseconds to connect, and to answer a PING, which needs no scan. */
const reachTimeoutMs = 10_000;
/** Characters of a signature's name that are kept. */
const maxName = 200;
/** Characters of its answer that are read. */
const maxReply = 1000;

/**
 * Scans a stream with clamd's INSTREAM command, which needs no shared files. The stream is destroyed in any
 * case.
 * @param signal aborts the scan
 * @throws ScannerUnavailable, also when aborted or after five minutes in which nothing was sent or received;
 *   ScanRefused for a reply that is neither of the results; or the stream's error
 */
export async function scanStream(clamd: Clamd, source: Readable, signal?: AbortSignal): Promise<ScanResult> {
  // Without a listener, an error before the scanner is connected would end the process.
  source.on('error', () => {});
  let socket: Socket | undefined;
  try {
    socket = await open(clamd, signal);
    const reply = readReply(socket);
    let over = false;
    const end = () => {
      over = true;
      // It may never bring another piece.
      source.destroy();
    };
    const ended = reply.then(end, end);
    socket.write('zINSTREAM\0');
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        // clamd may answer and disconnect before the end when the file is too large. Writing more before the
        // answer is read would lose it.
        await setImmediate();
        if (over) break;
        if (!socket.write(pieceOf(chunk))) await Promise.race([ended, once(socket, 'drain').catch(() => {})]);
      }
    } catch (error) {
      if (!over) throw error;
    }
    if (!over) socket.write(pieceOf(Buffer.alloc(0)));
    return resultOf(await reply);
  } finally {
    source.destroy();
    socket?.destroy();
  }
}

/** A chunk is preceded by its length; an empty one marks the end. */
function pieceOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/**
 * Checks that the scanner answers PING.
 * @param signal aborts the check
 * @throws ScannerUnavailable when it does not connect within 10 s, does not answer within another 10 s or
 *   answers something else, and when aborted
 */
export async function pingScanner(clamd: Clamd, signal?: AbortSignal): Promise<void> {
  const socket = await open(clamd, signal);
  try {
    socket.setTimeout(reachTimeoutMs);
    socket.write('zPING\0');
    const reply = await readReply(socket);
    if (reply !== 'PONG') throw new ScannerUnavailable(`it answers ${JSON.stringify(reply)}`);
  } finally {
    socket.destroy();
  }
}

async function open(clamd: Clamd, signal?: AbortSignal): Promise<Socket> {
  const socket = connect(clamd);
  if (signal !== undefined) {
    // A signal that is given to `connect` keeps its listener, and the socket, for as long as it lives.
    const listener = addAbortListener(signal, () => socket.destroy(new ScannerUnavailable('aborted')));
    socket.once('close', () => listener[Symbol.dispose]());
  }
  socket.setTimeout(reachTimeoutMs, () => socket.destroy(new ScannerUnavailable('no answer')));
  try {
    await once(socket, 'connect');
    return socket.setTimeout(timeoutMs);
  } catch (error) {
    throw new ScannerUnavailable((error as Error).message, { cause: error });
  }
}

function readReply(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const done = () => resolve(text.replace(/\0.*$|\s+$/s, ''));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('\0') || text.length > maxReply) done();
    });
    socket.once('end', () =>
      text === '' ? reject(new ScannerUnavailable('it ended the connection')) : done(),
    );
    socket.once('error', (error) => reject(new ScannerUnavailable(error.message, { cause: error })));
    socket.once('close', () => reject(new ScannerUnavailable('it closed the connection')));
  });
}

function resultOf(reply: string): ScanResult {
  if (reply === 'stream: OK') return { scan: 'CLEAN' };
  // What is cut must stay well-formed: the ledger stores it, and PostgreSQL refuses half a character.
  const found = /^stream: (.+) FOUND$/.exec(reply)?.[1];
  if (found !== undefined) return { scan: 'INFECTED', found: found.slice(0, maxName).toWellFormed() };
  throw new ScanRefused(reply.slice(0, 200).toWellFormed() || 'an empty answer');
}
