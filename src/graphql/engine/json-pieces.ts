/** A piece ends after this many characters. A longer text is written in slices of this many. */
const pieceLength = 64 * 1024;

/** An object or a list that has been begun. */
interface Open {
  /** Undefined: a list. */
  readonly names: readonly string[] | undefined;
  readonly values: readonly unknown[];
  next: number;
}

/**
 * `JSON.stringify(value)` in pieces of about 64 Ki characters, each made when it is requested. A long answer
 * takes the memory of one piece instead of that of the whole text. The value must consist of types that JSON
 * has, without cycles; members that are undefined are omitted, and other undefined values become `null`.
 */
export const jsonPieces = (value: unknown): Generator<string> => walk(value, partsOf);

/**
 * UTF-8 bytes of `JSON.stringify(value)`.
 * @param most when there are more bytes, counting stops early, and some number above this one is returned
 */
export function jsonBytes(value: unknown, most = Infinity): number {
  let bytes = 0;
  const count = (text: string) => {
    bytes += bytesOfText(text);
    return [''];
  };
  for (const piece of walk(value, count)) {
    bytes += Buffer.byteLength(piece);
    if (bytes > most) break;
  }
  return bytes;
}

/** @param write makes the JSON of a long text */
function* walk(value: unknown, write: (text: string) => Iterable<string>): Generator<string> {
  const open: Open[] = [];
  let piece = '';
  let current = value;
  for (;;) {
    if (isTree(current)) {
      piece += Array.isArray(current) ? '[' : '{';
      open.push(begun(current));
    } else if (typeof current === 'string' && current.length > pieceLength) {
      for (const part of write(current)) {
        yield piece + part;
        piece = '';
      }
    } else piece += JSON.stringify(current) ?? 'null';
    while (open.length > 0 && isComplete(open.at(-1)!)) piece += open.pop()!.names === undefined ? ']' : '}';
    const parent = open.at(-1);
    if (parent === undefined) break;
    if (piece.length >= pieceLength) {
      yield piece;
      piece = '';
    }
    const { names, values, next } = parent;
    if (next > 0) piece += ',';
    if (names !== undefined) piece += `${JSON.stringify(names[next])}:`;
    current = values[next];
    parent.next += 1;
  }
  yield piece;
}

/** What has the method `toJSON`, as a date, is a leaf. A client's object may have a member of that name. */
const isTree = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as { readonly toJSON?: unknown }).toJSON !== 'function';

const isComplete = ({ values, next }: Open): boolean => next === values.length;

function begun(tree: object): Open {
  if (Array.isArray(tree)) return { names: undefined, values: tree, next: 0 };
  const members = Object.entries(tree).filter(([, member]) => member !== undefined);
  return { names: members.map(([name]) => name), values: members.map(([, member]) => member), next: 0 };
}

/** A long text as JSON, with its quotation marks. */
function* partsOf(text: string): Generator<string> {
  yield '"';
  for (const slice of slicesOf(text)) yield JSON.stringify(slice).slice(1, -1);
  yield '"';
}

/** A pair of surrogates stays in one slice. */
function* slicesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = Math.min(at + pieceLength, text.length);
    const cutsPair = end < text.length && isHighSurrogate(text.charCodeAt(end - 1));
    const next = cutsPair ? end - 1 : end;
    yield text.slice(at, next);
    at = next;
  }
}

/** What JSON escapes: control characters, quotation marks, backslashes and lone surrogates. */
const escaped = /["\\]|[^ -\ud7ff\ue000-\uffff]/;

/**
 * UTF-8 bytes of a text as JSON, with its quotation marks. Writing its escapes to count them would take
 * several times as long.
 */
export function bytesOfText(text: string): number {
  let bytes = 2;
  for (const slice of slicesOf(text))
    bytes += Buffer.byteLength(slice) + (escaped.test(slice) ? bytesOfEscapes(slice) : 0);
  return bytes;
}

/** Bytes that escapes add to those of the characters. */
function bytesOfEscapes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20) bytes += isShortEscape(unit) ? 1 : 5;
    else if (unit === 0x22 || unit === 0x5c) bytes += 1;
    else if (unit >= 0xd800 && unit <= 0xdfff) {
      const isPair = isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(at + 1));
      if (isPair) at += 1;
      // UTF-8 has three bytes for a lone one (U+FFFD), JSON six (`\ud800`).
      else bytes += 3;
    }
  }
  return bytes;
}

/** \b \t \n \f \r */
const isShortEscape = (unit: number): boolean => unit >= 8 && unit <= 13 && unit !== 11;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
