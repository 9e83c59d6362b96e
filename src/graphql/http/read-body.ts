import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Unavailable } from '../../platform/errors.ts';
import { httpError } from './http-error.ts';

/**
 * Limits the total bytes of all bodies that are being read, because many slow senders could fill the memory.
 */
export class BodyBudget {
  readonly #limit: number;
  #held = 0;

  /** @param limit bytes, inclusive */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Reserves bytes. The caller gives them back when the body has been read.
   * @throws Unavailable when there is no room at the moment; then nothing is reserved
   */
  take(bytes: number): void {
    if (this.#held + bytes > this.#limit)
      throw new Unavailable('Too many request bodies are arriving at once', 2);
    this.#held += bytes;
  }

  /** Returns reserved bytes. */
  giveBack(bytes: number): void {
    this.#held -= bytes;
  }
}

const tooLarge = (limit: number) => httpError(413, `The request body exceeds ${limit} bytes`);

/**
 * Reads a request's body, which may be empty. Most bodies arrive together with their head. Such a body is
 * returned at once and takes nothing of the budget, because listening for it takes longer than parsing it.
 * @param limit maximum bytes, inclusive
 * @throws GraphQLError 413 for a Content-Length over `limit` bytes. Later faults are rejections: 413 as soon
 *   as the body is longer, 400 when it breaks off, Unavailable when too many bodies are being read
 */
export function readBody(req: IncomingMessage, limit: number, budget: BodyBudget): Buffer | Promise<Buffer> {
  const announced = Number(req.headers['content-length'] ?? 0);
  if (announced > limit) throw tooLarge(limit);
  if (announced > 0 && req.readableLength === announced) return req.read();
  return whenArrived(req, limit, budget);
}

function whenArrived(req: IncomingMessage, limit: number, budget: BodyBudget): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (finish: () => void) => {
      req.off('data', take).off('end', end).off('error', breakOff).off('close', breakOff);
      budget.giveBack(bytes);
      finish();
    };
    const take = (chunk: Buffer) => {
      if (bytes + chunk.length > limit) return settle(() => reject(tooLarge(limit)));
      try {
        budget.take(chunk.length);
      } catch (error) {
        return settle(() => reject(error));
      }
      bytes += chunk.length;
      chunks.push(chunk);
    };
    const end = () => settle(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    // A connection that is cut is an `error` of the request with ECONNRESET, and is no fault of ours.
    const breakOff = () => settle(() => reject(httpError(400, 'The request ended before its body did')));
    if (req.destroyed) return breakOff();
    req.on('data', take).on('end', end).on('error', breakOff).on('close', breakOff);
  });
}

/**
 * Maximum counts in a JSON body. No client's request comes near them, and parsing a million levels or members
 * takes a second.
 */
const maxCounts = { levels: 100, members: 20_000, values: 300_000 } as const;
/** Bodies of more bytes than this are counted before they are parsed. */
const countedAboveBytes = 64 * 1024;

/** Some clients write a byte order mark before UTF-8. It is not part of the text. */
const startsWithMark = (body: Buffer): boolean => body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;

/**
 * Checks the number of levels (100), members (20,000) and values (300,000) of a JSON body over 64 KiB,
 * without parsing it. A smaller body passes; whether it is JSON is not checked.
 * @throws GraphQLError 400 for JSON that would take long to parse
 */
export function assertParsesQuickly(body: Buffer): void {
  const excess = body.length > countedAboveBytes ? excessOf(body) : undefined;
  if (excess !== undefined)
    throw httpError(400, `The request body has more than ${maxCounts[excess]} ${excess}`);
}

/** Counts the punctuation outside of strings. Invalid JSON is left to the parser. */
function excessOf(body: Buffer): keyof typeof maxCounts | undefined {
  let levels = 0;
  let members = 0;
  let values = 0;
  let isText = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at]!;
    if (isText) {
      if (byte === 0x5c) at += 1;
      else if (byte === 0x22) isText = false;
    } else if (byte === 0x22) isText = true;
    else if (byte === 0x5b || byte === 0x7b) {
      levels += 1;
      if (levels > maxCounts.levels) return 'levels';
    } else if (byte === 0x5d || byte === 0x7d) levels -= 1;
    else if (byte === 0x3a) members += 1;
    else if (byte === 0x2c) values += 1;
  }
  if (members > maxCounts.members) return 'members';
  return values > maxCounts.values ? 'values' : undefined;
}

/**
 * Parses a JSON body, whatever its value is. A byte order mark is ignored.
 * @throws GraphQLError 400 for a body that is empty, not UTF-8 or not JSON, or is over 64 KiB
 *   and has too many levels, members or values
 */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw httpError(400, 'The request has no body');
  // Decoding would replace invalid bytes by U+FFFD, which would be stored unnoticed.
  if (!isUtf8(body)) throw httpError(400, 'The request body is not UTF-8');
  assertParsesQuickly(body);
  try {
    return JSON.parse(body.toString('utf8', startsWithMark(body) ? 3 : 0));
  } catch (error) {
    // The usual cause is a query of several lines between quotation marks, so the message has the position.
    throw httpError(400, `The request body is not JSON: ${(error as Error).message}`);
  }
}
