import type { IncomingMessage } from 'node:http';
import { BadRequest } from '../platform/errors.ts';

/** A string of RFC 8941: `"k"`, in which `\"` and `\\` are the only escapes. */
const structured = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * The key of the `Idempotency-Key` header: a structured string, as the IETF's draft has it, or plain text.
 * Both spellings of a key are
 * one key. What begins with a quotation mark and is no structured string is told to the command as a blank
 * key, which it refuses.
 * @throws BadRequest for two headers: which of them is meant cannot be known
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
