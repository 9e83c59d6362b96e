import { memoize } from '../../platform/memoize.ts';

/*
 * Parses media types and Accept headers exactly as .NET's header classes do. `content/media-type.ts` differs:
 * it cleans a file's type, so that it can be repeated in any header.
 */

/** A media type, or a range of them in an Accept header, modelled on .NET's class of the same name. */
export interface MediaTypeHeaderValue {
  /** `type/subtype` in its original spelling. */
  readonly written: string;
  /** In lower case; `*` in a range. */
  readonly type: string;
  /** In lower case; `*` in a range. */
  readonly subtype: string;
  /** The first parameter `charset` as it was written, with its quotes. */
  readonly charset: string | undefined;
  /** The first parameter `q`, which may be more than 1; 1 if there is none or it is invalid. */
  readonly quality: number;
}

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const ows = '[ \\t]*';
const mediaType = new RegExp(`${ows}(${token})${ows}/${ows}(${token})${ows}`, 'y');
const parameter = new RegExp(
  `;${ows}(${token})${ows}(?:=${ows}(${token}|"(?:[^"\\\\]|\\\\.)*")${ows})?`,
  'y',
);

/** Parses one media type at `at`. @returns undefined if there is none */
function parseOne(text: string, at: number): { value: MediaTypeHeaderValue; end: number } | undefined {
  mediaType.lastIndex = at;
  const match = mediaType.exec(text);
  if (!match) return undefined;
  let end = mediaType.lastIndex;
  let charset: string | undefined;
  let quality: number | undefined;
  while (text[end] === ';') {
    parameter.lastIndex = end;
    const next = parameter.exec(text);
    if (!next) return undefined;
    end = parameter.lastIndex;
    const name = next[1]!.toLowerCase();
    if (name === 'charset') charset ??= next[2];
    if (name === 'q') quality ??= parseQuality(next[2]);
  }
  const [type, subtype] = [match[1]!, match[2]!];
  const value = {
    written: `${type}/${subtype}`,
    type: type.toLowerCase(),
    subtype: subtype.toLowerCase(),
    charset,
    quality: quality ?? 1,
  };
  return { value, end };
}

/** An invalid quality is ignored. */
function parseQuality(text: string | undefined): number {
  return text !== undefined && /^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/.test(text) ? Number(text) : 1;
}

/** Parses a Content-Type. Returns undefined unless the header is exactly one valid media type. */
export const parseMediaType = (header: string | undefined): MediaTypeHeaderValue | undefined =>
  header === undefined ? undefined : onlyMediaType(header).value;

const onlyMediaType = memoize(
  (header) => {
    const parsed = parseOne(header, 0);
    return { value: parsed?.end === header.length ? parsed.value : undefined };
  },
  { texts: 500, longest: 500 },
);

/** Parses a list. One invalid element makes the whole list count as absent. */
function parseList<T>(
  header: string | undefined,
  parse: (text: string, at: number) => { value: T; end: number } | undefined,
): T[] {
  const values: T[] = [];
  if (header === undefined) return values;
  let at = 0;
  for (;;) {
    while (at < header.length && /[ \t,]/.test(header[at]!)) at++;
    if (at === header.length) return values;
    const parsed = parse(header, at);
    if (!parsed || (parsed.end < header.length && header[parsed.end] !== ',')) return [];
    values.push(parsed.value);
    at = parsed.end;
  }
}

/**
 * Parses an Accept header. The best type comes first: by quality, then types before ranges of one type,
 * these before the range of all types, then in the given order. Types with quality 0 are included. Empty if
 * the header is missing or any element is invalid.
 */
export function parseAccept(header: string | undefined): MediaTypeHeaderValue[] {
  const rank = ({ type, subtype }: MediaTypeHeaderValue) =>
    type === '*' && subtype === '*' ? 2 : subtype === '*' ? 1 : 0;
  return parseList(header, parseOne).sort((a, b) => b.quality - a.quality || rank(a) - rank(b));
}

const charsetElement = new RegExp(
  `(${token})${ows}(?:;${ows}q${ows}=${ows}([0-9]+(?:\\.[0-9]*)?)${ows})?`,
  'iy',
);

function parseCharset(
  text: string,
  at: number,
): { value: { name: string; quality: number }; end: number } | undefined {
  charsetElement.lastIndex = at;
  const match = charsetElement.exec(text);
  const quality = Number(match?.[2] ?? 1);
  // Unlike the quality of a media type, one above 1 is invalid.
  if (!match || quality > 1) return undefined;
  return { value: { name: match[1]!.toLowerCase(), quality }, end: charsetElement.lastIndex };
}

/**
 * Parses an Accept-Charset header. Returns the names in lower case, the best first: by quality, then names
 * before `*`, then in the given order. Those with quality 0 are left out. Empty if the header is missing or
 * any element is invalid.
 */
export function parseAcceptCharset(header: string | undefined): string[] {
  return parseList(header, parseCharset)
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality || Number(a.name === '*') - Number(b.name === '*'))
    .map(({ name }) => name);
}
