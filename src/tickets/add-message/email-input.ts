import { addressKey, parseAddress } from '../../mail/address.ts';
import type { Problem } from '../../platform/errors.ts';
import {
  type CancelReason,
  cancelReasons,
  type Quote,
  type RecipientKind,
} from '../../platform/vocabulary.ts';

/** The e-mail as its author asks for it: absent and null both mean the default. */
export interface EmailReplyInput {
  /** Address of one of the desk's mailboxes. */
  readonly from: string;
  readonly cc?: readonly string[] | null | undefined;
  readonly bcc?: readonly string[] | null | undefined;
  /** Wait as long before sending; the message itself is visible at once. */
  readonly holdSeconds?: number | null | undefined;
  /** Send no earlier than then. */
  readonly sendAt?: Date | null | undefined;
  /** Send nothing when somebody was faster. */
  readonly cancelIf?: readonly CancelReason[] | null | undefined;
  /** Which of the ticket's earlier public messages are repeated below. */
  readonly quote?: Quote | null | undefined;
  /** No person wrote it: the mail says so, and the answering machines of those who get it keep quiet. */
  readonly autoSubmitted?: boolean | null | undefined;
}

export const emailDefaults = {
  cc: [],
  bcc: [],
  cancelIf: [],
  quote: 'NONE',
  autoSubmitted: false,
} as const satisfies Partial<EmailReplyInput>;

/** The e-mail as its author means it. */
export interface NewEmail {
  readonly from: string;
  /** As given. */
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly holdSeconds: number | null;
  readonly sendAt: Date | null;
  readonly cancelIf: readonly CancelReason[];
  readonly quote: Quote;
  readonly autoSubmitted: boolean;
  /** Cc and Bcc as they will be addressed: one copy each, where the address was first mentioned. */
  readonly copies: readonly Copy[];
  /** Addresses that had been named before among Cc and Bcc. */
  readonly duplicates: readonly string[];
}

export interface Copy {
  readonly kind: Exclude<RecipientKind, 'TO'>;
  readonly address: string;
  /** Two addresses with one key are one recipient. */
  readonly key: string;
}

/** The copies that do not go to the To address. */
export function copiesBeside(copies: readonly Copy[], toAddress: string): readonly Copy[] {
  const to = addressKey(toAddress);
  return copies.filter(({ key }) => key !== to);
}

/** A mail may be held, seconds, or scheduled ahead, milliseconds, this far at most. */
const maxHoldSeconds = 30 * 24 * 60 * 60;
const maxScheduleMs = 366 * 24 * 60 * 60 * 1000;
/** A list that is much too long is read up to here. */
const mostRead = 100;

/** @param limit Cc and Bcc addresses together at most */
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
  if (cancelIf.length > cancelReasons.length) {
    const most = cancelReasons.length;
    const message = `There are ${cancelIf.length} reasons; name each of the ${most} once at most`;
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
    yield { path: ['email', 'sendAt'], message: 'A mail can be scheduled a year ahead at most' };
}

/** When the mail is due, milliseconds since 1970; undefined: at once. */
export function dueAtOf({ holdSeconds, sendAt }: Times, now: Date): number | undefined {
  if (holdSeconds !== null && holdSeconds > 0) return now.getTime() + holdSeconds * 1000;
  return sendAt !== null && sendAt.getTime() > now.getTime() ? sendAt.getTime() : undefined;
}
