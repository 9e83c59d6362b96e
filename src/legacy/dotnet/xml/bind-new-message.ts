import { Base64Decoder } from '../base64.ts';
import { type BodyLimits, Budget, objectValues, TooLarge } from '../body-limits.ts';
import type { Spool, Spools } from '../file-spool.ts';
import {
  attachmentMembers,
  type BoundObject,
  emptyAttachment,
  emptyPost,
  type MemberTypes,
  type NewMessagePost,
  namespaces,
  postMembers,
  type Reading,
  type ValueType,
} from '../new-message-post.ts';
import type { TextSource } from '../text-source.ts';
import { xmlBoolean, xmlInteger } from './parse-value.ts';
import { XmlReader } from './reader.ts';
import { malformed } from './scan-markup.ts';
import { checkType, readMarks } from './serializer-attributes.ts';

/** Members in DataContractSerializer's order: ordinal, by name. */
const inOrder = (members: MemberTypes) => Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1));
const shapes = {
  post: { order: inOrder(postMembers), namespace: namespaces.posts, create: emptyPost },
  attachment: { order: inOrder(attachmentMembers), namespace: namespaces.data, create: emptyAttachment },
};
/** Names of types. The old reader did not check those of simple ones. */
const types: Partial<Record<ValueType, readonly [namespace: string, name: string]>> = {
  strings: [namespaces.arrays, 'ArrayOfstring'],
  attachments: [namespaces.data, 'ArrayOfNewAttachment'],
  attachment: [namespaces.data, 'NewAttachment'],
  post: [namespaces.posts, 'NewMessagePost'],
};
const items = {
  strings: { item: 'string', name: 'string', namespace: namespaces.arrays },
  attachments: { item: 'attachment', name: 'NewAttachment', namespace: namespaces.data },
} as const;
/** Types that cannot be null, named or referenced. */
const isPlain = (expected: ValueType) => expected === 'int' || expected === 'int?' || expected === 'bool';

/**
 * Binds an XML body to a `NewMessagePost` as DataContractSerializer did. Elements have to be in the order of
 * their names; one that is out of order or unknown is ignored. The first error ends it: the result is then a
 * null post and one error without a path, as the old service reported it. The generator waits for more text
 * at each `yield`.
 * @param encodings the encodings that an XML declaration may name, in lower case
 * @throws TooLarge when the body exceeds one of `limits`
 */
export function* readXml(
  source: TextSource,
  spools: Spools,
  limits: BodyLimits,
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
  readonly #limits: BodyLimits;
  readonly #budget: Budget;
  /** Values by their `z:Id`. */
  readonly #known = new Map<string, { expected: ValueType; value: unknown }>();

  constructor(reader: XmlReader, spools: Spools, limits: BodyLimits) {
    this.#reader = reader;
    this.#spools = spools;
    this.#limits = limits;
    this.#budget = new Budget(limits.values);
  }

  *bind(): Generator<void, NewMessagePost | null> {
    const reader = this.#reader;
    yield* reader.moveToContent();
    if (reader.node !== 'element') throw malformed;
    const { namespace, name } = reader.element;
    if (namespace !== namespaces.posts || name !== 'NewMessagePost') throw malformed;
    const post = yield* this.#value('post');
    yield* reader.finish();
    return post as NewMessagePost | null;
  }

  /** Reads an element as the expected type, up to its end tag. */
  *#value(expected: ValueType): Generator<void, unknown> {
    const { scopes, element } = this.#reader;
    const { nil, id, ref, type } = readMarks(element.attributes, scopes);
    if (ref !== undefined) {
      const known = this.#known.get(ref);
      if (known?.expected !== expected || isPlain(expected)) throw malformed;
      yield* this.#toEnd();
      return known.value;
    }
    if (nil) {
      if (expected === 'int' || expected === 'bool') throw malformed;
      yield* this.#toEnd();
      return null;
    }
    const declared = types[expected];
    if (declared) checkType(type, declared, scopes);
    if (id !== undefined && isPlain(expected)) throw malformed;
    return yield* this.#content(expected, id);
  }

  *#content(expected: ValueType, id: string | undefined): Generator<void, unknown> {
    switch (expected) {
      case 'bool':
        return xmlBoolean(yield* this.#string());
      case 'int':
      case 'int?':
        return xmlInteger(yield* this.#string());
      case 'string':
        return this.#named(id, expected, yield* this.#string());
      case 'bytes':
        return this.#named(id, expected, yield* this.#bytes());
      case 'strings':
      case 'attachments':
        return yield* this.#items(expected, this.#named(id, expected, []));
      default:
        return yield* this.#members(expected, this.#named(id, expected, shapes[expected].create()));
    }
  }

  /**
   * Remembers a named value. An object is named before its members are read, a simple value after it has been
   * read.
   */
  #named<T>(id: string | undefined, expected: ValueType, value: T): T {
    if (id === undefined) return value;
    if (this.#known.has(id)) throw malformed;
    this.#budget.spend(objectValues);
    this.#known.set(id, { expected, value });
    return value;
  }

  /** Skips the contents of the current element. */
  *#toEnd(): Generator<void, void> {
    const { depth } = this.#reader;
    do yield* this.#reader.read();
    while (this.#reader.depth >= depth);
  }

  /** Moves to the next child element's start tag. @returns false at the end of the parent */
  *#nextElement(): Generator<void, boolean> {
    const reader = this.#reader;
    yield* reader.read();
    yield* reader.moveToContent();
    if (reader.node === 'end') return false;
    if (reader.node !== 'element') throw malformed;
    return true;
  }

  *#unknown(): Generator<void, void> {
    const { element, scopes } = this.#reader;
    readMarks(element.attributes, scopes);
    yield* this.#toEnd();
  }

  /** Reads members in order. Members out of order are ignored. */
  *#members(shape: 'post' | 'attachment', value: unknown): Generator<void, unknown> {
    const { order, namespace } = shapes[shape];
    let last = -1;
    while (yield* this.#nextElement()) {
      const { element } = this.#reader;
      const at = order.findIndex(
        ([name], i) => i > last && name === element.name && element.namespace === namespace,
      );
      if (at < 0) {
        yield* this.#unknown();
        continue;
      }
      const [name, kind] = order[at]!;
      (value as BoundObject)[name] = yield* this.#value(kind);
      last = at;
    }
    return value;
  }

  *#items(expected: 'strings' | 'attachments', list: unknown[]): Generator<void, unknown[]> {
    const { item, name, namespace } = items[expected];
    while (yield* this.#nextElement()) {
      const { element } = this.#reader;
      if (element.name === name && element.namespace === namespace) {
        list.push(yield* this.#value(item));
        this.#budget.spend(item === 'attachment' ? objectValues : 1);
      } else {
        yield* this.#unknown();
      }
    }
    return list;
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
    const decoder = new Base64Decoder((bytes) => spool.write(bytes), 'blocks');
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
