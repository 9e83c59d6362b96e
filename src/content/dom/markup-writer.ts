import { GrowingText, inPieces } from './large-strings.ts';
import { UnreadableBody } from './tree.ts';

const entities: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  }),
);

const escaped = (text: string, special: RegExp): string =>
  inPieces(text, (piece) => piece.replace(special, (character) => entities.get(character)!));
const escapeText = (text: string): string => escaped(text, /[&<>]/g);
const escapeAttribute = (text: string): string => escaped(text, /[&<>"]/g);

/** Attributes to write, in order. Values are not escaped yet. */
export type Attributes = readonly (readonly [name: string, value: string])[];

/** Limits of the output in characters: inlined style sheets may make it larger than the input. */
const freeCharacters = 8192;
const timesWritten = 4;
/** Short bodies may grow more. */
const shortBody = 200_000;
const timesShort = 12;
/** Browsers do not nest deeper either. */
const maxDepth = 500;

/**
 * Writes HTML: text is escaped, names of elements and attributes are not. Each `open` needs its `close`.
 * @throws UnreadableBody from each method that writes, when the output becomes longer than 8192 characters
 *   plus 16 for each of the first 200,000 characters of the input and 4 for each further one. Text is counted
 *   unescaped
 */
export class MarkupWriter {
  readonly #kept: boolean;
  readonly #markup = new GrowingText();
  /** What was written last. */
  #last = '';
  #room: number;
  /** Names of the open elements; empty for one that is not written. */
  readonly #open: string[] = [];
  #depth = 0;
  /** Whether an element was omitted because it is nested deeper than 500 levels. */
  flattened = false;

  /**
   * @param length characters of the input
   * @param kept whether the markup is kept; otherwise it is only measured
   */
  constructor(length: number, kept: boolean) {
    this.#kept = kept;
    this.#room = freeCharacters + timesWritten * length + timesShort * Math.min(length, shortBody);
  }

  /** @param length characters to charge */
  #put(text: string, length = text.length): void {
    this.#room -= length;
    if (this.#room < 0) throw new UnreadableBody('The HTML expands to far more than was written');
    this.#last = text;
    if (this.#kept) this.#markup.add(text);
  }

  /** Writes text, escaped. */
  text(text: string): void {
    // A parser drops a line break at the start of a `pre`.
    if (text[0] === '\n' && this.#last.startsWith('<pre')) this.#put('\n');
    // Charged before escaping: 4 MiB of `&` are a valid message.
    this.#put(this.#kept ? escapeText(text) : '', text.length);
  }

  /**
   * Writes a start tag. An element that is nested deeper than 500 levels is omitted; its content is written.
   */
  open(name: string, attributes: Attributes): void {
    const shown = this.#depth < maxDepth;
    this.#open.push(shown ? name : '');
    if (!shown) {
      this.flattened = true;
      return;
    }
    this.#depth += 1;
    this.#put(`<${name}${written(attributes)}>`);
  }

  /** Writes the end tag of the last open element, if its start tag was written. */
  close(): void {
    const name = this.#open.pop();
    if (name === undefined || name === '') return;
    this.#depth -= 1;
    this.#put(`</${name}>`);
  }

  /** Writes a void element, such as `<br />`. It needs no `close`. */
  empty(name: string, attributes: Attributes): void {
    this.#put(`<${name}${written(attributes)} />`);
  }

  /**
   * Returns the HTML; empty if it is not kept. White space at its start is removed, as a parser ignores it.
   * Closes nothing.
   */
  finish(): string {
    return this.#markup.text.replace(/^[ \t\n\f\r]+/, '');
  }
}

const written = (attributes: Attributes): string =>
  attributes.map(([name, value]) => ` ${name}="${escapeAttribute(value)}"`).join('');
