import { isIP } from 'node:net';
import { z } from 'zod';

/*
 * The kinds of values that settings have. Each error completes a sentence that begins with the setting's
 * name.
 */

/** In decimal digits alone: no unit, no separators, no leading zero, which some would read as octal. */
const digits = /^(0|[1-9]\d*)$/;

/**
 * A whole number from `min` to `max`, both included, in decimal digits alone.
 * @param fallback the setting's default
 */
export const whole = (fallback: number, min: number, max: number) =>
  z
    .string()
    .refine((text) => digits.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `must be a whole number from ${min} to ${max}, written in digits only`,
    })
    .transform(Number)
    .default(fallback);

/**
 * What is wrong with a value of any setting, because of what a file of settings put around it: blanks, a
 * carriage return or quotes. Control and format characters inside it are wrong too. Undefined for a value
 * without these.
 */
export function whyMalformed(text: string): string | undefined {
  if (text.endsWith('\r')) return 'ends with a carriage return, as lines do in a file from Windows';
  if (text.trim() !== text) return 'begins or ends with white space';
  if (/^(["'`]).*\1$/s.test(text)) return 'is in quotes, which would be a part of the value';
  if (/[\p{Cc}\p{Cf}]/u.test(text)) return 'contains a line break or another invisible character';
  return undefined;
}

/** The parts of a list that is separated by commas, trimmed, empty ones included. */
export const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());

/** One of these words, written in the same case. */
export const oneOf = <const T extends readonly [string, ...string[]]>(...words: T) =>
  z.enum(words, { error: `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}` });

/** A switch: `0` is off, `1` is on. The value stays a text. */
export const flag = oneOf('0', '1');

/** An address or a host name to listen at, without scheme and port; turned into lower case. */
export const host = z
  .string()
  .refine((text) => isIP(text) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text), {
    error: 'must be an address or a host name, without scheme, brackets and port',
  })
  .transform((text) => text.toLowerCase());

/**
 * A path of a file or folder, as the program opens it: no URL, and nothing to expand at its beginning.
 * Whether it exists is not checked.
 */
export const path = z
  .string()
  .refine((text) => !/^[~$%]/.test(text), {
    error: 'must be a literal path: ~ and variables are not expanded',
  })
  .refine((text) => !/^[a-z]{2,}:/i.test(text), { error: 'must be a path, not a URL' });

/** What a caller can send as `Authorization: Bearer …`: at least 16 printable ASCII characters, no blank. */
export const bearer = z
  .string()
  .regex(/^[\x21-\x7e]{16,}$/, 'must be at least 16 printable ASCII characters, without spaces');

/**
 * A text that is parsed by a function; the setting has its result.
 * @param read throws an Error whose message completes a sentence that begins with the setting's name
 */
export const readBy = <T>(read: (text: string) => T) =>
  z.string().transform((text, context): T => {
    try {
      return read(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });

/**
 * As a browser writes it in `Origin`: a scheme and a host, a port unless it is the scheme's default, and no
 * trailing slash.
 */
const isOrigin = (text: string): boolean =>
  /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;

/**
 * A set of origins that are separated by commas, as a browser writes them in `Origin`, or of `*` alone. Empty
 * by default.
 */
export const origins = z
  .string()
  .default('')
  .transform((text) => new Set(listOf(text).filter(Boolean)))
  .refine((set) => (set.size === 1 && set.has('*')) || [...set].every(isOrigin), {
    error: 'must be origins such as https://desk.example.com, separated by commas, or *',
  });

type ProcessRole = 'web' | 'worker';
const isRole = (text: string): text is ProcessRole => text === 'web' || text === 'worker';

/**
 * What a process does, as a set: serve requests (`web`), run background work (`worker`), or both, which is
 * the default.
 */
export const roles = z
  .string()
  .default('web,worker')
  .transform((text) => new Set(listOf(text)))
  .refine((set): set is Set<ProcessRole> => [...set].every(isRole), {
    error: 'must be web, worker or both',
  });

/** Unicode encodings are excluded: a text that is no UTF-8 would hardly be one in UTF-16. */
function isCodePage(label: string): boolean {
  try {
    return !new TextDecoder(label).encoding.startsWith('utf-');
  } catch {
    return false;
  }
}

/** A code page by its name in the Encoding Standard (`windows-1250`); no Unicode encoding. */
export const codePage = z
  .string()
  .refine(isCodePage, 'must be a code page of the Encoding Standard, such as windows-1250');
