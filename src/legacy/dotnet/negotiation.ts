import type { IncomingHttpHeaders } from 'node:http';
import { memoize } from '../../platform/memoize.ts';
import type { Charset } from './charset.ts';
import { type MediaTypeHeaderValue, parseAccept, parseAcceptCharset, parseMediaType } from './media-type.ts';

/** A format that the old service read and wrote. */
export type Format = 'json' | 'xml';

/** Format and character set of a response. */
export interface Representation {
  readonly format: Format;
  /** `application/json`, `text/xml`, … */
  readonly mediaType: string;
  readonly charset: Charset;
}

/** The old service's formatters, in order, with the media types that each reads and writes. */
const formatters: readonly { format: Format; mediaTypes: readonly string[] }[] = [
  { format: 'json', mediaTypes: ['application/json', 'text/json'] },
  { format: 'xml', mediaTypes: ['application/xml', 'text/xml'] },
];

interface FormatMatch {
  readonly format: Format;
  readonly mediaType: string;
  readonly quality: number;
  readonly rank: 'mapping' | 'literal' | 'subtype' | 'all' | 'request' | 'default';
}

function covers(range: MediaTypeHeaderValue, mediaType: string): boolean {
  if (range.type === '*' && range.subtype === '*') return true;
  const [type, subtype] = mediaType.split('/');
  return range.type === type && (range.subtype === '*' || range.subtype === subtype);
}

/**
 * Selects the format in which a request's body is read. A range such as `text/*` matches as a Content-Type,
 * too. Undefined for any other type, and without one.
 */
export function selectReader(contentType: MediaTypeHeaderValue | undefined): Format | undefined {
  if (!contentType) return undefined;
  return formatters.find(({ mediaTypes }) => mediaTypes.some((type) => covers(contentType, type)))?.format;
}

/**
 * Selects the character set of a request's body: utf-16 for exactly this name, in any case; utf-8 for
 * anything else, quoted names too.
 */
export function selectCharset(contentType: MediaTypeHeaderValue | undefined): Charset {
  return contentType?.charset?.toLowerCase() === 'utf-16' ? 'utf-16' : 'utf-8';
}

/** The headers that decide an answer's format. A missing header counts as an empty one. */
const deciding = ['content-type', 'accept', 'accept-charset', 'x-requested-with'] as const;
type Deciding = Readonly<Record<(typeof deciding)[number], string>>;

/**
 * Chooses the representation of a response. A script's request (`X-Requested-With: XMLHttpRequest`) without
 * Accept, or with an Accept of just any type, gets JSON. Otherwise the format is that of the best type in
 * Accept, else that of the request's Content-Type, else JSON. The character set is the best known one in
 * Accept-Charset, else that of the request. There always is a choice, as the old service never answered 406.
 */
export const negotiate = (headers: IncomingHttpHeaders): Representation =>
  representationFor(deciding.map((name) => headers[name] ?? '').join('\n'));

/** Memoized, because clients send few different sets of these headers. */
const representationFor = memoize(
  (lines) => {
    const values = lines.split('\n');
    return choose(Object.fromEntries(deciding.map((name, i) => [name, values[i]])) as Deciding);
  },
  { texts: 500, longest: 500 },
);

function choose(headers: Deciding): Representation {
  const contentType = parseMediaType(headers['content-type']);
  const accept = parseAccept(headers.accept);
  const scripted = isScripted(headers, accept);
  const matches = formatters.map((formatter) => match(formatter, accept, contentType, scripted));
  const { format, mediaType } = best(matches);
  const wanted = parseAcceptCharset(headers['accept-charset']).find((name) =>
    ['utf-8', 'utf-16', '*'].includes(name),
  );
  const charset =
    wanted === undefined ? selectCharset(contentType) : wanted === 'utf-16' ? 'utf-16' : 'utf-8';
  return { format, mediaType, charset };
}

/** A browser's script without an Accept header gets JSON. */
function isScripted(headers: Deciding, accept: readonly MediaTypeHeaderValue[]): boolean {
  const header = headers['x-requested-with'].toLowerCase();
  return (
    header.includes('xmlhttprequest') &&
    (accept.length === 0 || (accept.length === 1 && accept[0]!.written === '*/*'))
  );
}

function match(
  { format, mediaTypes }: (typeof formatters)[number],
  accept: readonly MediaTypeHeaderValue[],
  contentType: MediaTypeHeaderValue | undefined,
  scripted: boolean,
): FormatMatch {
  if (format === 'json' && scripted)
    return { format, mediaType: 'application/json', quality: 1, rank: 'mapping' };
  for (const range of accept) {
    if (range.quality === 0) continue;
    const mediaType = mediaTypes.find((type) => covers(range, type));
    if (mediaType === undefined) continue;
    const rank =
      range.type === '*' && range.subtype === '*' ? 'all' : range.subtype === '*' ? 'subtype' : 'literal';
    return { format, mediaType, quality: range.quality, rank };
  }
  const asked = contentType && mediaTypes.find((type) => covers(contentType, type));
  if (asked !== undefined) return { format, mediaType: asked, quality: 1, rank: 'request' };
  return { format, mediaType: mediaTypes[0]!, quality: 1, rank: 'default' };
}

function best(matches: readonly FormatMatch[]): FormatMatch {
  const bestOf = (rank: FormatMatch['rank']) =>
    matches.filter((match) => match.rank === rank).reduce<FormatMatch | undefined>(better, undefined);
  const accepted = [bestOf('literal'), bestOf('subtype'), bestOf('all')].reduce<FormatMatch | undefined>(
    better,
    undefined,
  );
  const mapping = bestOf('mapping');
  if (mapping && better(mapping, accepted) === mapping) return mapping;
  return accepted ?? matches.find(({ rank }) => rank === 'request') ?? matches[0]!;
}

/** The one with the higher quality, or the first of equals. */
function better(
  current: FormatMatch | undefined,
  candidate: FormatMatch | undefined,
): FormatMatch | undefined {
  if (!current || !candidate) return current ?? candidate;
  return candidate.quality > current.quality ? candidate : current;
}
