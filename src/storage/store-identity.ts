import { z } from 'zod';
import type { StoreIdentity } from './blob-store.ts';

const written = z.object({ id: z.uuid(), generation: z.int().min(0) });

/**
 * Parses the store's identity, which `writeIdentity` formatted. Returns `unreadable` for malformed text,
 * which must not be taken for a missing identity.
 */
export function readIdentity(text: string): StoreIdentity | 'unreadable' {
  const parsed = written.safeParse(parse(text));
  return parsed.success ? parsed.data : 'unreadable';
}

/** Formats an identity as one line of JSON. */
export const writeIdentity = ({ id, generation }: StoreIdentity): string =>
  `${JSON.stringify({ id, generation })}\n`;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
