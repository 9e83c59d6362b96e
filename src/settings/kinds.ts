import { z } from 'zod';

/*
 * The kinds of values that settings have. Each error completes a sentence that begins with the setting's
 * name.
 */

/** A whole number in a range. */
export const whole = (fallback: number, min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error }).default(fallback);
};

const hasProtocol = (text: string, protocols: readonly string[]): boolean =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol);

/** A URL with one of these protocols. */
export const url = (...protocols: string[]) =>
  z.string().refine((text) => hasProtocol(text, protocols), {
    error: `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

/** A switch: 1 or 0. */
export const flag = z.enum(['0', '1']);

/**
 * A text that is parsed by a function.
 * @param read throws an Error whose message says what is wrong
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

const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());

/**
 * As a browser writes it in `Origin`: a scheme and a host, a port unless it is the scheme's default, and no
 * trailing slash.
 */
const isOrigin = (text: string): boolean =>
  text === '*' || (/^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text);

/** Origins separated by commas, or `*`. */
export const origins = z
  .string()
  .default('')
  .transform((text) => new Set(listOf(text).filter(Boolean)))
  .refine((set) => [...set].every(isOrigin), {
    error: 'must be origins such as https://desk.example.com, separated by commas, or *',
  });

/** A mail server, or `inbox:`. */
export const smtpUrl = z
  .string()
  .refine((text) => text === 'inbox:' || hasProtocol(text, ['smtp:', 'smtps:']), {
    error: 'must be smtp://…, smtps://… or inbox:',
  });

/** The prefix of our URLs; `/` makes them relative. */
export const publicUrl = z
  .string()
  .refine((text) => text === '/' || hasProtocol(text, ['http:', 'https:']), {
    error: 'must be https://…, http://… or /',
  })
  .refine((text) => text === '/' || !/[?#]/.test(text), { error: 'must have no query and no fragment' });

type ProcessRole = 'web' | 'worker';
const isRole = (text: string): text is ProcessRole => text === 'web' || text === 'worker';

/** What a process does, separated by commas. */
export const roles = z
  .string()
  .default('web,worker')
  .transform((text) => new Set(listOf(text)))
  .refine((set): set is Set<ProcessRole> => set.size > 0 && [...set].every(isRole), {
    error: 'must be web, worker or both',
  });

/** Unicode encodings are excluded: bytes that are invalid UTF-8 would be invalid here as well. */
function isCodePage(label: string): boolean {
  try {
    return !new TextDecoder(label).encoding.startsWith('utf-');
  } catch {
    return false;
  }
}

/** A code page by its name in the Encoding Standard. */
export const codePage = z
  .string()
  .refine(isCodePage, 'must be a code page of the Encoding Standard, such as windows-1250');
