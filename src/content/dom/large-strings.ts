/**
 * V8 holds about forty bytes for each match until a replacement is done, and eight for each part that a split
 * makes. A piece of this many characters needs at most a few megabytes.
 */
const pieceLength = 65_536;

/**
 * Applies `transform` to a long text in pieces of 65,536 UTF-16 units, to limit memory, and joins the
 * results. A shorter text is one piece. A piece may end anywhere, even inside a surrogate pair, but never
 * inside CRLF, so `transform` must treat each UTF-16 unit by itself. It must replace with a function: a
 * replacement given as a string makes V8 build a rope, a deep tree of substrings.
 */
export function inPieces(text: string, transform: (piece: string) => string): string {
  if (text.length <= pieceLength) return transform(text);
  const pieces: string[] = [];
  for (let at = 0, end = 0; at < text.length; at = end) {
    end = at + pieceLength;
    if (text[end] === '\n' && text[end - 1] === '\r') end += 1;
    pieces.push(transform(text.slice(at, end)));
  }
  return pieces.join('');
}

/**
 * Replaces each run of spaces, tabs, form feeds and line breaks by one space, also at the start and the end.
 * No-break spaces stay.
 */
export function withoutRunsOfBlanks(text: string): string {
  let last = '';
  return inPieces(text, (piece) => {
    // A search is faster than a replacement, and most text has nothing to replace.
    const words = /[\t\n\r\f]| {2}/.test(piece) ? piece.replace(/[ \t\n\r\f]+/g, () => ' ') : piece;
    const joined = last === ' ' && words[0] === ' ' ? words.slice(1) : words;
    last = words.at(-1) ?? last;
    return joined;
  });
}

/**
 * Yields the parts of a text between line feeds, one by one, without these; a CR stays. An empty text has one
 * empty line. An array of four million lines would take 32 MB.
 */
export function* linesOf(text: string): Iterable<string> {
  let at = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', at)) {
    yield text.slice(at, end);
    at = end + 1;
  }
  yield text.slice(at);
}

/**
 * A text that is built from many short parts. They are joined in batches, because each takes 16 to 40 bytes
 * until then.
 */
export class GrowingText {
  #written = '';
  #bits: string[] = [];

  /** Appends a part. */
  add(bit: string): void {
    if (this.#bits.length === 1024) this.#join();
    this.#bits.push(bit);
  }

  #join(): void {
    this.#written += this.#bits.join('');
    this.#bits = [];
  }

  /** All parts so far, joined. */
  get text(): string {
    this.#join();
    return this.#written;
  }
}
