import type { IncomingMessage } from 'node:http';
import { BadRequest } from '../platform/errors.ts';

/** A string of RFC 8941: `"k"`, where `\"` and `\\` are the only escapes. */
const structured = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * The key in the `Idempotency-Key` header: a structured string, as in the IETF draft, or plain text. Both
 * spellings are the same key. A malformed structured string becomes an empty key, which the command rejects.
 * @throws BadRequest for two headers, because either may be meant
 */
export function idempotencyKeyOf(req: IncomingMessage): string | undefined {
  const text = req.headers['idempotency-key'] as string | undefined;
  if (text === undefined) return undefined;
  // Node joins repeated headers with a comma, which a key may contain.
  const names = req.rawHeaders.filter((_, index) => index % 2 === 0);
  if (names.filter((name) => name.toLowerCase() === 'idempotency-key').length > 1)
    throw new BadRequest('The Idempotency-Key header was sent more than once');
  if (!text.startsWith('"')) return text;
  return structured.exec(text)?.[1]?.replace(/\\(["\\])/g, '$1') ?? '';
}
