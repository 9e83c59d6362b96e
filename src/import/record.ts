import { z } from 'zod';
import { isPasswordHash } from '../auth/passwords.ts';
import { parseAddress } from '../mail/address.ts';
import { isMessageId, maxMessageIdOctets } from '../mail/compose/headers.ts';
import { explainIssue } from '../platform/explain-issue.ts';
import { parseStorableInstant } from '../platform/instants.ts';
import { roles } from '../platform/request-context.ts';
import { formats, ticketStatuses, visibilities } from '../platform/vocabulary.ts';

/* One line of an import. docs/IMPORT.md describes the format. */

/** Text that PostgreSQL can store and UTF-8 can encode. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'has U+0000 or a lone surrogate');
const line = (most: number) =>
  text(most)
    .trim()
    .min(1)
    .refine((value) => !/\p{Cc}/u.test(value), 'has a control character');
/**
 * Largest id. The sequences are advanced one by one, 0.4 s per million, so that no running gateway gets an
 * id twice.
 */
const id = z.int().min(1).max(2_000_000_000);
const instant = z.string().transform((value, ctx) => {
  const read = parseStorableInstant(value);
  if (read !== undefined) return read;
  ctx.addIssue('must be an instant like 2024-05-31T08:30:00Z');
  return z.NEVER;
});
const address = line(320).refine((value) => parseAddress(value).ok, 'is not an e-mail address');
const smtpUrl = z
  .string()
  .refine(
    (value) =>
      URL.canParse(value) && /^smtps?:$/.test(new URL(value).protocol) && new URL(value).password === '',
    { error: 'must be smtp://… or smtps://… without a password', abort: true },
  )
  .refine(
    (value) => new URL(value).hostname !== '' && isEscaped(new URL(value).username),
    'must have a host, and write a % of the user as %25',
  );
function isEscaped(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const user = z.strictObject({
  type: z.literal('user'),
  id,
  login: line(255).refine((value) => !value.includes(':'), 'has a colon, which HTTP Basic cannot carry'),
  name: line(255),
  email: address.nullish(),
  role: z.enum(roles),
  passwordHash: z
    .string()
    .refine(isPasswordHash, 'is not a supported hash: ASP.NET Identity v2 or v3, bcrypt, or scrypt')
    .nullish(),
  disabledAt: instant.nullish(),
  createdAt: instant.optional(),
});
const mailbox = z.strictObject({
  type: z.literal('mailbox'),
  id,
  address,
  displayName: line(255),
  signature: text(100_000).optional(),
  smtpUrl: smtpUrl.nullish(),
  maxMailBytes: z.int().min(1024).max(2_147_483_647).optional(),
  ratePerMinute: z.int().min(1).nullish(),
  /** Ids of the operators who may send from it. */
  operators: z.array(id).max(100_000).optional(),
  disabledAt: instant.nullish(),
  createdAt: instant.optional(),
});
const ticket = z.strictObject({
  type: z.literal('ticket'),
  id,
  reference: line(64),
  subject: text(10_000),
  status: z.enum(ticketStatuses).optional(),
  requesterId: id,
  originalMessageId: z
    .string()
    .max(maxMessageIdOctets)
    .refine(isMessageId, 'must be a Message-ID in angle brackets')
    .nullish(),
  createdAt: instant.optional(),
});
const message = z.strictObject({
  type: z.literal('message'),
  id,
  ticketId: id,
  authorId: id,
  body: text(16 * 1024 * 1024),
  format: z.enum(formats).optional(),
  visibility: z.enum(visibilities),
  isMobileDevice: z.boolean().optional(),
  createdAt: instant.optional(),
});

/* The command line applies the same rules. */
/** The Zod schema of a new user on the command line; the rules are those of an import. */
export const newUser = user.pick({ login: true, name: true, email: true, role: true });
/** The Zod schema of a new mailbox on the command line; the rules are those of an import. */
export const newMailbox = mailbox.omit({
  type: true,
  id: true,
  operators: true,
  disabledAt: true,
  createdAt: true,
});
/** The Zod schema of a new ticket on the command line; the rules are those of an import. */
export const newTicket = ticket.pick({ reference: true, subject: true, originalMessageId: true });

const record = z.discriminatedUnion('type', [user, mailbox, ticket, message], {
  error: 'must be user, mailbox, ticket or message',
});
/** One valid line of an import. Names and addresses are trimmed, and times are `Date`s. */
export type DeskRecord = z.infer<typeof record>;
/** The type of a line. */
export type RecordType = DeskRecord['type'];
/** A valid line of this type. */
export type DeskRecordOf<T extends RecordType> = Extract<DeskRecord, { type: T }>;
/** The types of lines, in the order in which a batch is written: rows refer only to earlier types. */
export const recordTypes = ['user', 'mailbox', 'ticket', 'message'] as const satisfies readonly RecordType[];

/**
 * A parsed line, or what is wrong with it: one text for each problem, such as `email: is not an e-mail
 * address`.
 */
export type ReadLine =
  | { readonly ok: true; readonly record: DeskRecord }
  | {
      readonly ok: false;
      readonly problems: readonly string[];
      /**
       * The line's type and id, if they could be read, so that lines that refer to it are not reported as
       * well.
       */
      readonly about?: { readonly type: RecordType; readonly id: number };
    };

/** Parses a line and validates it on its own, without the desk. Never throws: problems are returned. */
export function readRecord(json: string): ReadLine {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return { ok: false, problems: [`is not JSON: ${(error as Error).message}`] };
  }
  const parsed = record.safeParse(value, { error: explainIssue });
  if (parsed.success) return { ok: true, record: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(': '),
  );
  const { type, id } = (value ?? {}) as { type?: RecordType; id?: number };
  const known = recordTypes.includes(type!) && Number.isInteger(id);
  return { ok: false, problems, ...(known ? { about: { type: type!, id: id! } } : {}) };
}

/** A valid line and its number in the file, from 1. */
export interface NumberedRecord {
  readonly line: number;
  readonly record: DeskRecord;
}
/** What is wrong with a line. `line` is its number, from 1. */
export interface ImportProblem {
  readonly line: number;
  readonly message: string;
}
