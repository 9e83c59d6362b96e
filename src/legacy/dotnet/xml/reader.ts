import type { TextSource } from '../text-source.ts';
import { type Attribute, checkDeclaration, parseAttributes, parseTag, Scopes } from './parse-tag.ts';
import { XmlText } from './read-text.ts';
import {
  forbiddenCharacter,
  malformed,
  plainTag,
  readPast,
  startsWith,
  untilBracket,
} from './scan-markup.ts';

const maxDepth = 256;

/** A start tag. `name` is without its prefix; `namespace` is empty if there is none. */
export interface Element {
  readonly namespace: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

/**
 * Pulls nodes as .NET's `XmlDictionaryReader` does: no DTD, no processing instructions, the five predefined
 * entities only, elements at most 256 deep. Text comes in pieces, so that a file in an element is never in
 * memory as one string. The generators yield when they need more text.
 * @throws the error `malformed` for anything else, and for a text that ends too soon
 */
export class XmlReader {
  /**
   * The kind of the current node. `start`: nothing was read yet. `end`: the end of an element, an empty one
   * too.
   */
  node: 'start' | 'element' | 'text' | 'end' | 'eof' = 'start';
  /** The start tag that was read last. It is the current node only when `node` is `element`. */
  element: Element = { namespace: '', name: '', attributes: [] };
  /** The current piece of text when `node` is `text`. A text may come in several nodes. */
  text = '';
  /** The namespaces at the current node. */
  readonly scopes = new Scopes();
  readonly #source: TextSource;
  readonly #texts: XmlText;
  readonly #encodings: readonly string[];
  readonly #open: string[] = [];
  /** The current element is empty: its end comes next without an end tag. */
  #empty = false;
  #rootSeen = false;
  #inCdata = false;

  /** @param encodings the encodings that an XML declaration may name: the one of the bytes */
  constructor(source: TextSource, encodings: readonly string[]) {
    this.#source = source;
    this.#texts = new XmlText(source);
    this.#encodings = encodings;
  }

  /** Number of open elements: the current one counts, and no longer at its end. */
  get depth(): number {
    return this.#open.length;
  }

  /**
   * Moves past white space to the next element, end of an element, other text, or end of the document. Stays
   * where it is if the current node is one of these.
   */
  *moveToContent(): Generator<void, void> {
    while (this.node === 'start' || (this.node === 'text' && /^[ \t\r\n]*$/.test(this.text)))
      yield* this.read();
  }

  /** Moves to the next node that is not a comment. After the root there is white space and then `eof`. */
  *read(): Generator<void, void> {
    if (this.#empty) {
      this.#empty = false;
      return this.#leave();
    }
    if (this.node === 'end') this.scopes.leave();
    const first = this.node === 'start';
    if (first) yield* this.#declaration();
    while (!(yield* this.#node()));
  }

  /**
   * Reads what follows the root, as little as the old reader did: anything but a comment directly after the
   * root is an error, anything after white space is ignored.
   */
  *finish(): Generator<void, void> {
    const source = this.#source;
    if (!(yield* source.has(0)) || /[ \t\r\n]/.test(source.text[source.pos]!)) return;
    if (!(yield* startsWith(this.#source, '<!--'))) throw malformed;
    yield* this.#comment();
  }

  /** @returns false if it was a comment */
  *#node(): Generator<void, boolean> {
    const source = this.#source;
    if (this.#inCdata) {
      yield* this.#cdata();
      return true;
    }
    if (!source.isThere(0) && !(yield* source.has(0))) {
      if (this.#open.length > 0 || !this.#rootSeen) throw malformed;
      this.node = 'eof';
      return true;
    }
    if (source.text[source.pos] !== '<') {
      this.node = 'text';
      this.text =
        this.#open.length === 0
          ? this.#texts.outside()
          : this.#texts.ahead() || (yield* this.#texts.inside());
      return true;
    }
    if (!source.isThere(1) && !(yield* source.has(1))) throw malformed;
    const next = source.text[source.pos + 1];
    if (next === '/') {
      if (!this.#plainEndTag()) yield* this.#endTag();
    } else if (next === '!') {
      if (yield* startsWith(this.#source, '<!--')) {
        yield* this.#comment();
        return false;
      }
      // Rejects a DOCTYPE, too: only a CDATA section may begin like this.
      if (this.#open.length === 0 || !(yield* startsWith(this.#source, '<![CDATA['))) throw malformed;
      source.pos += 9;
      yield* this.#cdata();
    } else if (next === '?') {
      throw malformed;
    } else {
      yield* this.#startTag();
    }
    return true;
  }

  /** An XML declaration may only come first. */
  *#declaration(): Generator<void, void> {
    if (!(yield* startsWith(this.#source, '<?xml'))) return;
    const text = yield* untilBracket(this.#source);
    if (!/^\?xml[ \t\r\n]/.test(text) || !text.endsWith('?')) throw malformed;
    checkDeclaration(parseAttributes(text.slice(0, -1), 4), this.#encodings);
  }

  *#startTag(): Generator<void, void> {
    const written = plainTag(this.#source) ?? (yield* untilBracket(this.#source));
    const empty = written.endsWith('/');
    const { prefix, name, attributes } = parseTag(empty ? written.slice(0, -1) : written);
    if (this.#open.length === 0 && this.#rootSeen) throw malformed;
    this.#rootSeen = true;
    if (prefix === 'xmlns') throw malformed;
    this.#open.push(prefix === '' ? name : `${prefix}:${name}`);
    if (this.#open.length > maxDepth) throw malformed;
    this.scopes.enter(attributes);
    this.node = 'element';
    this.element = { namespace: this.scopes.resolve(prefix), name, attributes };
    this.#empty = empty;
  }

  /** Reads an end tag in its usual spelling. @returns false for another one, and then nothing is read */
  #plainEndTag(): boolean {
    const source = this.#source;
    const written = `</${this.#open.at(-1)}>`;
    if (this.#open.length === 0 || !source.text.startsWith(written, source.pos)) return false;
    source.pos += written.length;
    this.#leave();
    return true;
  }

  *#endTag(): Generator<void, void> {
    const source = this.#source;
    const expected = `</${this.#open.at(-1)}`;
    if (this.#open.length === 0 || !(yield* startsWith(this.#source, expected))) throw malformed;
    source.pos += expected.length;
    while ((yield* source.has(0)) && /[ \t\r\n]/.test(source.text[source.pos]!)) source.pos++;
    if (!(yield* source.has(0)) || source.text[source.pos] !== '>') throw malformed;
    source.pos++;
    this.#leave();
  }

  #leave(): void {
    this.#open.pop();
    this.node = 'end';
  }

  *#comment(): Generator<void, void> {
    this.#source.pos += 4;
    yield* readPast(this.#source, '--', (text) => {
      if (forbiddenCharacter.test(text)) throw malformed;
    });
    if (!(yield* startsWith(this.#source, '>'))) throw malformed;
    this.#source.pos++;
  }

  /** CDATA is not normalized: carriage returns and control characters are kept. */
  *#cdata(): Generator<void, void> {
    const source = this.#source;
    this.node = 'text';
    while (yield* source.has(0)) {
      const end = source.text.indexOf(']]>', source.pos);
      const until = end < 0 ? source.text.length - 2 : end;
      this.text = source.text.slice(source.pos, Math.max(source.pos, until));
      source.pos = end < 0 ? Math.max(source.pos, until) : end + 3;
      this.#inCdata = end < 0;
      if (/[\ufffe\uffff]/.test(this.text)) throw malformed;
      if (end >= 0 || this.text !== '') return;
      if (!(yield* source.has(2))) break;
    }
    throw malformed;
  }
}
