import { addressKey, parseAddress } from '../../mail/address.ts';
import type { Problem } from '../../platform/errors.ts';
import {
  type CancelReason,
  cancelReasons,
  type Quote,
  type RecipientKind,
} from '../../platform/vocabulary.ts';

/**
 * The e-mail of a message. Absent and null both mean the default: `emailDefaults`, and no hold. It goes to
 * the ticket's requester.
 */
export interface EmailReplyInput {
  /** Address of one of the desk's mailboxes. */
  readonly from: string;
  /** Addresses, without display names; `bcc` likewise. */
  readonly cc?: readonly string[] | null | undefined;
  readonly bcc?: readonly string[] | null | undefined;
  /**
   * Seconds to wait before sending, from 0 to 30 days. Not together with `sendAt`. The message itself is
   * visible immediately.
   */
  readonly holdSeconds?: number | null | undefined;
  /** Earliest time of sending, at most 366 days ahead. A past one means immediately. */
  readonly sendAt?: Date | null | undefined;
  /** Which replies cancel the mail before it is first tried. */
  readonly cancelIf?: readonly CancelReason[] | null | undefined;
  /** Which of the ticket's earlier public messages are quoted. */
  readonly quote?: Quote | null | undefined;
  /**
   * Whether the message was written by a program. Its mail then has the header `Auto-Submitted`, so that
   * auto-responders do not reply.
   */
  readonly autoSubmitted?: boolean | null | undefined;
}

/** Defaults of the e-mail. The schema shows them as its default values. */
export const emailDefaults = {
  cc: [],
  bcc: [],
  cancelIf: [],
  quote: 'NONE',
  autoSubmitted: false,
} as const satisfies Partial<EmailReplyInput>;

/** The e-mail with its defaults filled in. */
export interface NewEmail {
  /** The parsed (normalised) address, or the input unchanged if it is malformed. */
  readonly from: string;
  /** The Cc addresses as given, with repetitions and malformed ones. */
  readonly cc: readonly string[];
  /** The Bcc addresses, likewise. */
  readonly bcc: readonly string[];
  readonly holdSeconds: number | null;
  readonly sendAt: Date | null;
  readonly cancelIf: readonly CancelReason[];
  readonly quote: Quote;
  readonly autoSubmitted: boolean;
  /**
   * The well-formed addresses of Cc, then of Bcc, without repetitions: each is listed once, at its first
   * occurrence, so one in both is a Cc. They may include the To address.
   */
  readonly copies: readonly Copy[];
  /** Cc and Bcc addresses that repeat an earlier Cc or Bcc address. */
  readonly duplicates: readonly string[];
}

/** A Cc or Bcc recipient. */
export interface Copy {
  readonly kind: Exclude<RecipientKind, 'TO'>;
  readonly address: string;
  /** The key by `addressKey`. Two addresses with the same key are one recipient. */
  readonly key: string;
}

/** The copies whose address is not the To address by `addressKey`, in the same order. */
export function copiesExcept(copies: readonly Copy[], toAddress: string): readonly Copy[] {
  const to = addressKey(toAddress);
  return copies.filter(({ key }) => key !== to);
}

/** Longest hold, seconds. */
const maxHoldSeconds = 30 * 24 * 60 * 60;
/** How far ahead a mail can be scheduled, milliseconds. */
const maxScheduleMs = 366 * 24 * 60 * 60 * 1000;
/** An over-long list is checked up to this many addresses. */
const mostRead = 100;

/**
 * Parses the e-mail of an input and collects its problems: malformed addresses, `from` included; more than
 * `limit` Cc and Bcc addresses, repetitions included; a repeated reason in `cancelIf`; `holdSeconds` with
 * `sendAt`; and times out of bounds. It does not throw, and does not look up the mailbox. It parses at most
 * `Math.max(limit, 100)` addresses of each list. A longer list is reported as a problem, and its addresses
 * beyond that are only in `cc` or `bcc`, not in `copies` or `duplicates`.
 * @param limit maximum number of Cc and Bcc addresses together
 * @param now the current time, for the bounds of `sendAt`
 * @returns the e-mail, also when it has problems, and the problems with paths that begin with `email`
 */
export function readEmail(
  given: EmailReplyInput,
  limit: number,
  now: Date,
): { readonly email: NewEmail; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const sender = parseAddress(given.from);
  if (!sender.ok) problems.push({ path: ['email', 'from'], message: sender.message });
  const email = {
    from: sender.ok ? sender.address : given.from,
    cc: given.cc ?? emailDefaults.cc,
    bcc: given.bcc ?? emailDefaults.bcc,
    holdSeconds: given.holdSeconds ?? null,
    sendAt: given.sendAt ?? null,
    cancelIf: given.cancelIf ?? emailDefaults.cancelIf,
    quote: given.quote ?? emailDefaults.quote,
    autoSubmitted: given.autoSubmitted ?? emailDefaults.autoSubmitted,
  };
  problems.push(...countProblems(email, limit));
  const copies = readCopies(email, Math.max(limit, mostRead), problems);
  problems.push(...timeProblems(email, now));
  return { email: { ...email, ...copies }, problems };
}

type AddressLists = Pick<NewEmail, 'cc' | 'bcc' | 'cancelIf'>;

function* countProblems({ cc, bcc, cancelIf }: AddressLists, limit: number): Iterable<Problem> {
  const count = cc.length + bcc.length;
  if (count > limit) {
    const message = `There are ${count} Cc and Bcc addresses; ${limit} are allowed together`;
    yield { path: ['email'], message };
  }
  if (new Set(cancelIf).size < cancelIf.length) {
    const message = `Name each of the ${cancelReasons.length} reasons once at most`;
    yield { path: ['email', 'cancelIf'], message };
  }
}

function readCopies(
  { cc, bcc }: Pick<NewEmail, 'cc' | 'bcc'>,
  most: number,
  problems: Problem[],
): Pick<NewEmail, 'copies' | 'duplicates'> {
  const copies = new Map<string, Copy>();
  const duplicates: string[] = [];
  const read = (kind: Copy['kind'], name: string, list: readonly string[]): void => {
    for (const [index, text] of list.slice(0, most).entries()) {
      const parsed = parseAddress(text);
      if (!parsed.ok) {
        problems.push({ path: ['email', name, index], message: parsed.message });
        continue;
      }
      const { address } = parsed;
      const key = addressKey(address);
      if (copies.has(key)) duplicates.push(address);
      else copies.set(key, { kind, address, key });
    }
  };
  read('CC', 'cc', cc);
  read('BCC', 'bcc', bcc);
  return { copies: [...copies.values()], duplicates };
}

type Times = Pick<NewEmail, 'holdSeconds' | 'sendAt'>;

function* timeProblems({ holdSeconds, sendAt }: Times, now: Date): Iterable<Problem> {
  if (holdSeconds !== null && sendAt !== null)
    yield { path: ['email'], message: 'Give holdSeconds or sendAt, not both' };
  if (holdSeconds !== null && (holdSeconds < 0 || holdSeconds > maxHoldSeconds))
    yield { path: ['email', 'holdSeconds'], message: `A mail can be held 0 to ${maxHoldSeconds} seconds` };
  if (sendAt !== null && sendAt.getTime() > now.getTime() + maxScheduleMs)
    yield { path: ['email', 'sendAt'], message: 'A mail can be scheduled at most a year ahead' };
}

/**
 * When the mail is due, in milliseconds since 1970; undefined means immediately, also for 0 seconds and for a
 * time that is not after `now`.
 */
export function dueAtOf({ holdSeconds, sendAt }: Times, now: Date): number | undefined {
  if (holdSeconds !== null && holdSeconds > 0) return now.getTime() + holdSeconds * 1000;
  return sendAt !== null && sendAt.getTime() > now.getTime() ? sendAt.getTime() : undefined;
}
