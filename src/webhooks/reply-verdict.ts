import type { Reply } from './send-request.ts';

/** Seconds until the first retry. Each further one waits twice as long as the one before. */
const firstSeconds = 5;
/** The longest wait, unless the endpoint asks for more. */
const mostSeconds = 3600;
/** A longer Retry-After of an endpoint is cut to this. */
export const mostRetryAfterSeconds = 24 * 3600;
/** Days of failures after which an endpoint is disabled. */
export const failingDays = 5;

/** The three forms of a date in HTTP begin with the day of the week. All are in GMT, also that of asctime. */
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d\d:\d\d:\d\d/;

/** What follows from a reply. */
export type Verdict =
  | { readonly kind: 'delivered' }
  /** The endpoint has answered 410 Gone. */
  | { readonly kind: 'gone' }
  /**
   * `error` says why: `status 500`, or the reply's `error`. The request is repeated in `retryMs`
   * milliseconds.
   */
  | { readonly kind: 'failed'; readonly error: string; readonly retryMs: number };

/**
 * What follows from a reply. 2xx means delivered, and 410 means gone. After anything else the request is sent
 * again in `retryMs`: 5 s after the first failure, then twice as long each time, up to an hour, all ± 25 % at
 * random. A longer Retry-After counts instead, up to a day.
 * @param failures failed requests since the last one that succeeded, without this one
 * @param now the time from which a Retry-After with a date is counted
 * @param random in [0, 1)
 */
export function verdictOfReply(
  { status, retryAfter, error }: Reply,
  failures: number,
  { now, random }: { readonly now: Date; readonly random: () => number },
): Verdict {
  if (status !== undefined && status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 410) return { kind: 'gone' };
  const asked = retryAfter === undefined ? 0 : Math.min(secondsOf(retryAfter, now), mostRetryAfterSeconds);
  const own = Math.min(mostSeconds, firstSeconds * 2 ** Math.min(failures, 20)) * (0.75 + random() / 2);
  return { kind: 'failed', error: error ?? `status ${status}`, retryMs: 1000 * Math.max(asked, own) };
}

/** Seconds until the time of a Retry-After header; 0 for one that is malformed or past. */
function secondsOf(header: string, now: Date): number {
  if (/^\d+$/.test(header.trim())) return Number(header);
  // `Date.parse` finds a year in almost any text.
  const at = httpDate.test(header) ? Date.parse(`${header.replace(/ GMT$/, '')} GMT`) : Number.NaN;
  return Number.isNaN(at) ? 0 : Math.max(0, (at - now.getTime()) / 1000);
}
