import { Base64Decoder } from './base64.ts';
import {
  attachmentMembers,
  emptyAttachment,
  emptyPost,
  type Kind,
  type Members,
  type NewMessagePost,
  namespaces,
  postMembers,
  type Reading,
  type ReadingLimits,
  TooLarge,
} from './post.ts';
import type { Spool, Spools } from './spool.ts';
import type { TextSource } from './text-source.ts';
import { malformed } from './xml-markup.ts';
import { XmlReader } from './xml-reader.ts';
import { isNil } from './xml-tag.ts';
import { xmlBoolean, xmlInteger } from './xml-value.ts';

type Target = Record<string, unknown>;

/** Members as DataContractSerializer walks them: by the ordinal order of their names. */
const inOrder = (members: Members) => Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1));
const postOrder = inOrder(postMembers);
const attachmentOrder = inOrder(attachmentMembers);

/**
 * Reads a NewMessagePost as DataContractSerializer did. Its first error is its last: the old service reported one
 * without a path, and bound nothing.
 * @param encodings what an XML declaration may name
 */
export function* readXml(
  source: TextSource,
  spools: Spools,
  limits: ReadingLimits,
  encodings: readonly string[],
): Generator<void, Reading> {
  try {
    const post = yield* new XmlBinder(new XmlReader(source, encodings), spools, limits).bind();
    return { post, errors: [] };
  } catch (error) {
    if (error instanceof TooLarge) throw error;
    return { post: null, errors: [''] };
  }
}

class XmlBinder {
  readonly #reader: XmlReader;
  readonly #spools: Spools;
  readonly #limits: ReadingLimits;

  constructor(reader: XmlReader, spools: Spools, limits: ReadingLimits) {
    this.#reader = reader;
    this.#spools = spools;
    this.#limits = limits;
  }

  *bind(): Generator<void, NewMessagePost | null> {
    const reader = this.#reader;
    yield* reader.moveToContent();
    if (reader.node !== 'element') throw malformed;
    const { namespace, name } = reader.element;
    if (namespace !== namespaces.posts || name !== 'NewMessagePost') throw malformed;
    const post = emptyPost();
    const nil = this.#isNull(namespaces.posts, 'NewMessagePost');
    if (nil) {
      while (reader.depth > 0) yield* reader.read();
    } else {
      yield* this.#members(post as unknown as Target, postOrder, namespaces.posts);
    }
    yield* reader.finish();
    return nil ? null : post;
  }

  /**
   * Looks at an element's attributes. A type that is named must be the declared one (for the simple types the old
   * reader did not look), and references to other objects lead nowhere.
   */
  #isNull(typeNamespace?: string, typeName?: string): boolean {
    const { scopes, element } = this.#reader;
    for (const { prefix, name, value } of element.attributes) {
      if (prefix === '' || prefix === 'xmlns') continue;
      const namespace = scopes.resolve(prefix);
      if (namespace === namespaces.serialization && name === 'Ref') throw malformed;
      if (namespace !== namespaces.instance || name !== 'type' || typeName === undefined || value === '')
        continue;
      const [first, second] = value.split(':') as [string, string | undefined];
      const named = second === undefined ? first : second;
      if (
        named.trim() !== typeName ||
        scopes.resolve(second === undefined ? '' : first.trim()) !== typeNamespace
      ) {
        throw malformed;
      }
    }
    return isNil(element.attributes, scopes);
  }

  /** Reads members from behind the start tag to the end tag. What comes out of order is not seen. */
  *#members(target: Target, order: [string, Kind][], namespace: string): Generator<void, void> {
    const reader = this.#reader;
    let last = -1;
    yield* reader.read();
    for (;;) {
      yield* reader.moveToContent();
      if (reader.node === 'end') return;
      if (reader.node !== 'element') throw malformed;
      const { element } = reader;
      const at = order.findIndex(
        ([name], i) => i > last && name === element.name && element.namespace === namespace,
      );
      if (at < 0) {
        this.#isNull();
        yield* reader.skip();
        continue;
      }
      const [name, kind] = order[at]!;
      target[name] = yield* this.#member(kind);
      last = at;
    }
  }

  /** Reads one element's value, and moves behind its end tag. */
  *#member(kind: Kind): Generator<void, unknown> {
    const reader = this.#reader;
    const nil =
      kind === 'strings'
        ? this.#isNull(namespaces.arrays, 'ArrayOfstring')
        : kind === 'attachments'
          ? this.#isNull(namespaces.data, 'ArrayOfNewAttachment')
          : this.#isNull();
    if (nil) {
      if (kind === 'int' || kind === 'bool') throw malformed;
      yield* reader.skip();
      return null;
    }
    const value = yield* this.#value(kind);
    yield* reader.read();
    return value;
  }

  *#value(kind: Kind): Generator<void, unknown> {
    switch (kind) {
      case 'string':
        return yield* this.#string();
      case 'bool':
        return xmlBoolean(yield* this.#string());
      case 'int':
      case 'int?':
        return xmlInteger(yield* this.#string());
      case 'bytes':
        return yield* this.#bytes();
      default:
        return yield* this.#items(kind);
    }
  }

  *#items(kind: 'strings' | 'attachments'): Generator<void, unknown[]> {
    const reader = this.#reader;
    const [itemName, itemNamespace] =
      kind === 'strings' ? ['string', namespaces.arrays] : ['NewAttachment', namespaces.data];
    const items: unknown[] = [];
    yield* reader.read();
    for (;;) {
      yield* reader.moveToContent();
      if (reader.node === 'end') return items;
      if (reader.node !== 'element') throw malformed;
      if (reader.element.name !== itemName || reader.element.namespace !== itemNamespace) {
        this.#isNull();
        yield* reader.skip();
        continue;
      }
      items.push(kind === 'strings' ? yield* this.#member('string') : yield* this.#attachment());
      if (items.length > this.#limits.items) throw new TooLarge();
    }
  }

  *#attachment(): Generator<void, unknown> {
    const reader = this.#reader;
    if (this.#isNull(namespaces.data, 'NewAttachment')) {
      yield* reader.skip();
      return null;
    }
    const attachment = emptyAttachment();
    yield* this.#members(attachment as unknown as Target, attachmentOrder, namespaces.data);
    yield* reader.read();
    return attachment;
  }

  /** An element's text, up to its end tag. */
  *#string(): Generator<void, string> {
    let text = '';
    yield* this.#text((piece) => {
      text += piece;
      if (text.length > this.#limits.textChars) throw new TooLarge();
    });
    return text;
  }

  *#bytes(): Generator<void, Spool> {
    const spool = this.#spools.create();
    const decoder = new Base64Decoder((bytes) => spool.write(bytes));
    yield* this.#text((piece) => decoder.push(piece));
    const valid = decoder.end();
    spool.end();
    if (!valid) throw malformed;
    return spool;
  }

  *#text(piece: (text: string) => void): Generator<void, void> {
    const reader = this.#reader;
    for (;;) {
      yield* reader.read();
      if (reader.node === 'end') return;
      if (reader.node !== 'text') throw malformed;
      piece(reader.text);
    }
  }
}
