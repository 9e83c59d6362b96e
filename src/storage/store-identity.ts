import { z } from 'zod';
import type { StoreIdentity } from './blob-store.ts';

const written = z.object({ id: z.uuid(), generation: z.int().min(0) });

/** A malformed identity must not be taken for a missing one. */
export function readIdentity(text: string): StoreIdentity | 'unreadable' {
  const parsed = written.safeParse(parse(text));
  return parsed.success ? parsed.data : 'unreadable';
}

export const writeIdentity = ({ id, generation }: StoreIdentity): string =>
  `${JSON.stringify({ id, generation })}\n`;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `2026-11-28`, in UTC: the day on which a blob is set aside. */
export const dayOf = (instant: Date): string => instant.toISOString().slice(0, 10);
export const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text);
