import type { IncomingHttpHeaders } from 'node:http';

/** A recorded call and its response. `name` is for the report. */
export interface Recorded {
  readonly name: string;
  readonly method: string;
  /** Path and query, as they are sent. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Whether the body is sent in chunks, without a Content-Length. */
  readonly chunked: boolean;
  /** Whether to send it without a credential. */
  readonly anonymous: boolean;
  readonly expect: RecordedAnswer;
}

/** A recorded response. The names of its headers are in lower case. */
export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: any body matches. */
  readonly body: Buffer | undefined;
}

/** The response to a replayed call. */
export interface ReplayedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Headers that a client may depend on. The others name servers, dates and connections. */
const significant = [
  'content-type',
  'allow',
  'www-authenticate',
  'cache-control',
  'pragma',
  'expires',
  'location',
];
const shown = 300;

/**
 * Lists the differences between two responses, as lines for the report; empty if there is none. It compares
 * the status, the body, and those recorded headers that a client may depend on, such as Content-Type and
 * WWW-Authenticate. A body takes two lines, each cut after 300 characters. Message ids always differ and are
 * ignored.
 */
export function differences(expected: RecordedAnswer, received: ReplayedAnswer): string[] {
  const found: string[] = [];
  if (expected.status !== received.status)
    found.push(`status: ${expected.status} was recorded, now ${received.status}`);
  for (const name of significant) {
    const before = expected.headers[name];
    const now = received.headers[name];
    if (before !== undefined && before !== now)
      found.push(`${name}: ${before} was recorded, now ${now ?? 'none'}`);
  }
  const before = expected.body && readable(expected.body);
  const now = readable(received.body);
  if (before !== undefined && before !== now) {
    found.push(`body: ${before.slice(0, shown)}`, `now:  ${now.slice(0, shown)}`);
  }
  return found;
}

/** The same headers with their names in lower case. */
export function lowerCaseNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function readable(bytes: Buffer): string {
  const text =
    bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.subarray(2).toString('utf16le') : bytes.toString('utf8');
  return text.replace(/(?<=TicketMessageId(?:>|":\s*))\d+/g, '#');
}
