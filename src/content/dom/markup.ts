import { UnreadableBody } from './tree.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

const escapeText = (text: string): string => text.replace(/[&<>]/g, (character) => entities[character]!);
const escapeAttribute = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => entities[character]!);

export type Attributes = readonly (readonly [name: string, value: string])[];

/**
 * What is shown may have so many times the characters of what was written, where styles of style sheets are
 * written out.
 */
const freeCharacters = 8192;
const timesWritten = 4;
/** Short bodies may have more. */
const shortBody = 200_000;
const timesShort = 12;
/** Browsers nest no deeper. */
const maxDepth = 500;

/** Writes HTML whose every tag is closed. */
export class MarkupWriter {
  readonly #parts: string[] = [];
  #room: number;
  /** Names of the open elements; an empty one is not shown. */
  readonly #open: string[] = [];
  #depth = 0;
  /** Whether an element was left out for being nested too deep. */
  flattened = false;

  /** @param length characters that were written */
  constructor(length: number) {
    this.#room = freeCharacters + timesWritten * length + timesShort * Math.min(length, shortBody);
  }

  /** @param length characters that it counts as */
  #put(text: string, length = text.length): void {
    this.#room -= length;
    if (this.#room < 0) throw new UnreadableBody('The HTML would be shown as far more than was written');
    this.#parts.push(text);
  }

  text(text: string): void {
    // A parser takes away the first line break of a `pre`.
    if (text[0] === '\n' && this.#parts.at(-1)?.startsWith('<pre') === true) this.#put('\n');
    // What is escaped counts as it was written: 4 MiB of `&` are a message, too.
    this.#put(escapeText(text), text.length);
  }

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

  close(): void {
    const name = this.#open.pop();
    if (name === undefined || name === '') return;
    this.#depth -= 1;
    this.#put(`</${name}>`);
  }

  empty(name: string, attributes: Attributes): void {
    this.#put(`<${name}${written(attributes)} />`);
  }

  /** A parser passes over the blanks that HTML begins with. */
  finish(): string {
    return this.#parts.join('').replace(/^[ \t\n\f\r]+/, '');
  }
}

const written = (attributes: Attributes): string =>
  attributes.map(([name, value]) => ` ${name}="${escapeAttribute(value)}"`).join('');
