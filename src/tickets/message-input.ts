import type { Limits } from '../config.ts';
import type { Problem } from '../errors.ts';
import { decodeGlobalId } from '../global-id.ts';
import { addressKey, parseAddress } from '../mail/address.ts';
import {
  type CancelReason,
  cancelReasons,
  type MessageFormat,
  type Quote,
  type RecipientKind,
  type Visibility,
} from '../vocabulary.ts';
import { type AttachmentInput, attachmentProblems } from './attachment-input.ts';
import type { TicketSelector } from './selector.ts';

/** The command's input with every default in its place. */
export interface AddTicketMessageInput {
  readonly ticket: TicketSelector;
  /** As written; kept to the byte. */
  readonly body: string;
  readonly format: MessageFormat;
  readonly visibility: Visibility;
  readonly isMobileDevice: boolean;
  readonly attachments: readonly AttachmentInput[];
  /** Absent: nothing is mailed. */
  readonly email?: EmailReplyInput | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
  /** Global id of the last message that the author has seen. */
  readonly ifLastMessage?: string | null | undefined;
  /** The hash of a preview: exactly that mail is sent, or none. */
  readonly expectPreviewHash?: string | null | undefined;
}

export interface EmailReplyInput {
  /** Address of one of the desk's mailboxes. */
  readonly from: string;
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  /** Wait as long before sending; the message itself is visible at once. */
  readonly holdSeconds?: number | null | undefined;
  /** Send no earlier than then. */
  readonly sendAt?: Date | null | undefined;
  /** Send nothing when somebody was faster. */
  readonly cancelIf: readonly CancelReason[];
  /** Which of the ticket's earlier public messages are repeated below. */
  readonly quote: Quote;
  /** No person wrote it: the mail says so, and the answering machines of those who get it keep quiet. */
  readonly autoSubmitted: boolean;
}

/** A mail may be held, seconds, or scheduled ahead, milliseconds, this far at most. */
const maxHoldSeconds = 30 * 24 * 60 * 60;
const maxScheduleMs = 366 * 24 * 60 * 60 * 1000;

/** A list that is wrong from end to end is reported up to here: the author needs no more to see what is wrong. */
const maxProblems = 100;

/** Everything that is wrong with an input but its body and can be seen without the database, each with its path. */
export function inputProblems(
  input: AddTicketMessageInput,
  limits: Limits,
  headerKey: string | undefined,
  now: Date,
): Problem[] {
  return [
    ...attachmentProblems(input.attachments, limits.attachments),
    ...(input.email == null
      ? []
      : [...emailProblems(input.email, limits.recipients), ...timeProblems(input.email, now)]),
    ...keyProblems(input.idempotencyKey ?? undefined, headerKey),
    ...(input.expectPreviewHash != null &&
    (input.email == null || !/^[0-9a-f]{64}$/.test(input.expectPreviewHash))
      ? [{ path: ['expectPreviewHash'], message: 'Not the hash of a preview of an e-mail' }]
      : []),
    ...(input.ifLastMessage != null && decodeGlobalId('TicketMessage', input.ifLastMessage) === undefined
      ? [{ path: ['ifLastMessage'], message: 'Not the id of a message' }]
      : []),
  ].slice(0, maxProblems);
}

function* emailProblems({ from, cc, bcc, cancelIf }: EmailReplyInput, limit: number): Iterable<Problem> {
  const sender = parseAddress(from);
  if (!sender.ok) yield { path: ['email', 'from'], message: sender.message };
  const count = cc.length + bcc.length;
  if (count > limit) {
    yield {
      path: ['email'],
      message: `There are ${count} Cc and Bcc addresses; ${limit} are allowed together`,
    };
  }
  if (cancelIf.length > cancelReasons.length) {
    const message = `There are ${cancelIf.length} reasons; name each of the ${cancelReasons.length} once at most`;
    yield { path: ['email', 'cancelIf'], message };
  }
  for (const [name, list] of [
    ['cc', cc],
    ['bcc', bcc],
  ] as const) {
    for (const [index, text] of list.slice(0, maxProblems).entries()) {
      const parsed = parseAddress(text);
      if (!parsed.ok) yield { path: ['email', name, index], message: parsed.message };
    }
  }
}

function* timeProblems({ holdSeconds, sendAt }: EmailReplyInput, now: Date): Iterable<Problem> {
  if (holdSeconds != null && sendAt != null) {
    yield { path: ['email'], message: 'Give holdSeconds or sendAt, not both' };
  }
  if (holdSeconds != null && (holdSeconds < 0 || holdSeconds > maxHoldSeconds)) {
    yield { path: ['email', 'holdSeconds'], message: `A mail can be held 0 to ${maxHoldSeconds} seconds` };
  }
  if (sendAt != null && sendAt.getTime() > now.getTime() + maxScheduleMs) {
    yield { path: ['email', 'sendAt'], message: 'A mail can be scheduled a year ahead at most' };
  }
}

/** When the mail is due, milliseconds since 1970; null: at once. */
export function dueAtOf({ holdSeconds, sendAt }: EmailReplyInput, now: Date): number | null {
  if (holdSeconds != null && holdSeconds > 0) return now.getTime() + holdSeconds * 1000;
  return sendAt != null && sendAt.getTime() > now.getTime() ? sendAt.getTime() : null;
}

/** 1 to 255 visible ASCII characters, blanks inside allowed. */
export const isKey = (text: string): boolean => /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(text);

function* keyProblems(field: string | undefined, header: string | undefined): Iterable<Problem> {
  const path = ['idempotencyKey'];
  for (const key of new Set([field, header])) {
    if (key !== undefined && !isKey(key)) {
      yield { path, message: 'An idempotency key has 1 to 255 visible ASCII characters' };
    }
  }
  if (field !== undefined && header !== undefined && field !== header) {
    yield { path, message: 'The Idempotency-Key header and the field idempotencyKey differ' };
  }
}

export interface Copies {
  readonly copies: {
    readonly kind: Exclude<RecipientKind, 'TO'>;
    readonly address: string;
    readonly key: string;
  }[];
  /** Addresses that were named before among Cc and Bcc. */
  readonly duplicates: string[];
}

/** Cc and Bcc as they will be addressed: one copy each, the first mention stays. */
export function copiesOf({ cc, bcc }: Pick<EmailReplyInput, 'cc' | 'bcc'>): Copies {
  const seen = new Set<string>();
  const result: Copies = { copies: [], duplicates: [] };
  for (const [kind, list] of [
    ['CC', cc],
    ['BCC', bcc],
  ] as const) {
    for (const text of list) {
      const parsed = parseAddress(text);
      if (!parsed.ok) continue;
      const key = addressKey(parsed.address);
      if (seen.has(key)) result.duplicates.push(parsed.address);
      else result.copies.push({ kind, address: parsed.address, key });
      seen.add(key);
    }
  }
  return result;
}
