import { type BodyLimits, Budget, objectValues, TooLarge } from '../body-limits.ts';
import type { Spools } from '../file-spool.ts';
import type {
  BoundObject,
  MemberTypes,
  NewMessagePost,
  Reading,
  Shape,
  ValueType,
} from '../new-message-post.ts';
import type { TextSource } from '../text-source.ts';
import { expectType, findMember, items, shapes } from './contract.ts';
import { createJsonReader, type JsonReader } from './reader.ts';
import { broken, EnoughErrors, type JsonState, type Token } from './reader-state.ts';

/**
 * Binds a JSON body to a `NewMessagePost` as Json.NET 12 does, and returns it with the errors in the order of
 * ASP.NET Web API 2. After an error, reading goes on where Json.NET's would, so the post may have some of its
 * members. It is null for an empty body, for `null`, and when reading had to stop. The generator waits for
 * more text at each `yield`.
 * @throws TooLarge when the body exceeds one of `limits`, except those of errors, which end the reading
 */
export function* readJson(source: TextSource, spools: Spools, limits: BodyLimits): Generator<void, Reading> {
  const binder = new JsonBinder(createJsonReader(source, spools, limits.textChars), limits);
  const post = yield* binder.bind();
  return { post, errors: binder.errors };
}

/**
 * The result of reading `$id`, `$ref`, `$type` and `$values`. `done`: the whole object is replaced by
 * `value`.
 */
interface Metadata {
  readonly done: boolean;
  readonly value?: unknown;
  readonly id: string | undefined;
}
const withoutMetadata: Metadata = { done: false, id: undefined };

class JsonBinder {
  readonly errors: string[] = [];
  readonly #reader: JsonReader;
  readonly #state: JsonState;
  readonly #limits: BodyLimits;
  readonly #budget: Budget;
  #errorChars = 0;
  /** Objects by their `$id`, with the types they were read as. */
  readonly #known = new Map<string, { readonly type: ValueType; readonly value: unknown }>();

  constructor(reader: JsonReader, limits: BodyLimits) {
    this.#reader = reader;
    this.#state = reader.state;
    this.#limits = limits;
    this.#budget = new Budget(limits.values);
  }

  *bind(): Generator<void, NewMessagePost | null> {
    try {
      if (!(yield* this.#reader.tokens.readContent())) return null;
      return (yield* this.#value('post', undefined)) as NewMessagePost | null;
    } catch (error) {
      if (error instanceof EnoughErrors) return null;
      this.#note(error);
      return null;
    }
  }

  /** Records an error's path. Reading continues unless the error stops it. */
  #note(error: unknown): void {
    if (error instanceof TooLarge || error instanceof EnoughErrors) throw error;
    const { path } = this.#state;
    this.#errorChars += path.length;
    // Paths beyond the limit are dropped: only an invented body has as many.
    const fits = this.#errorChars <= this.#limits.errorChars;
    if (fits || this.errors.length === 0) this.errors.push(fits ? path : '');
    if (!fits || this.errors.length >= this.#limits.errors) throw new EnoughErrors();
  }

  /** Skips the invalid value and leaves containers deeper than `depth`. */
  *#recover(depth: number): Generator<void, void> {
    yield* this.#reader.tokens.skip();
    while (this.#state.depth > depth && (yield* this.#reader.tokens.read()));
  }

  /** Reads a value's token as the expected type. @returns false at the end */
  *#readFor(expected: ValueType): Generator<void, boolean> {
    const reader = this.#reader;
    if (expected === 'string') yield* reader.values.readString();
    else if (expected === 'int' || expected === 'int?') yield* reader.values.readInt32();
    else if (expected === 'bool') yield* reader.values.readBoolean();
    else if (expected === 'bytes') yield* reader.bytes.read();
    else return yield* reader.tokens.readContent();
    return this.#state.token !== 'None';
  }

  /** Binds the current token. @param existing the member's current list, which is appended to */
  *#value(expected: ValueType, existing: unknown): Generator<void, unknown> {
    const reader = this.#reader;
    do {
      if (this.#state.token === 'StartObject') return yield* this.#object(expected, existing);
      if (this.#state.token === 'StartArray') return yield* this.#list(expected, existing, undefined);
      if (this.#state.token !== 'Comment') return expectType(this.#state, expected);
    } while (yield* reader.tokens.read());
    throw broken;
  }

  *#object(expected: ValueType, existing: unknown): Generator<void, unknown> {
    if (!this.#reader.fastPath.readMember()) yield* this.#expectToken();
    const { token, value } = this.#state;
    const isNamed = token === 'PropertyName' && (value as string).startsWith('$');
    const meta = isNamed ? yield* this.#metadata(expected, existing) : withoutMetadata;
    if (meta.done) return meta.value;
    if (expected === 'post' || expected === 'attachment') return yield* this.#populate(expected, meta.id);
    throw broken;
  }

  /** `$id`, `$ref`, `$type` and `$values` at the start of an object. */
  *#metadata(expected: ValueType, existing: unknown): Generator<void, Metadata> {
    let id: string | undefined;
    while (this.#state.token === 'PropertyName') {
      const name = this.#state.value as string;
      if (name === '$ref') {
        const found = yield* this.#reference(expected);
        if (found === undefined) continue;
        return { done: true, value: found, id };
      }
      if (name === '$values') {
        yield* this.#expectToken();
        const value = yield* this.#list(expected, existing, id);
        yield* this.#expectToken();
        return { done: true, value, id };
      }
      if (name !== '$id' && name !== '$type') break;
      yield* this.#expectToken();
      if (name === '$id') id = this.#state.value === undefined ? undefined : String(this.#state.value);
      else if (this.#state.value === undefined) throw broken;
      yield* this.#expectToken();
    }
    return { done: false, id };
  }

  /**
   * Reads after `$ref`.
   * @returns the object of that name, null for an unknown name, undefined for no name
   * @throws the error `broken` when the object was read as another type
   */
  *#reference(expected: ValueType): Generator<void, unknown> {
    yield* this.#expectToken();
    if (this.#state.token !== 'String' && this.#state.token !== 'Null') throw broken;
    const name = this.#state.value as string | undefined;
    yield* this.#expectToken();
    if (name === undefined) return undefined;
    if ((this.#state.token as Token) === 'PropertyName') throw broken;
    const known = this.#known.get(name);
    if (known && known.type !== expected) throw broken;
    return known?.value ?? null;
  }

  #remember(id: string | undefined, type: ValueType, value: unknown): void {
    if (id === undefined) return;
    if (this.#known.has(id)) throw broken;
    this.#budget.spend(objectValues);
    this.#known.set(id, { type, value });
  }

  *#populate(shape: Shape, id: string | undefined): Generator<void, unknown> {
    const reader = this.#reader;
    const { members, create } = shapes[shape];
    const target = create() as BoundObject;
    this.#remember(id, shape, target);
    const { depth } = this.#state;
    do {
      if (this.#state.token === 'EndObject') return target;
      if (this.#state.token === 'Comment') continue;
      if (this.#state.token !== 'PropertyName') throw broken;
      try {
        const written = this.#state.value as string;
        if (!this.#plainMember(members, target, written)) yield* this.#member(members, target, written);
      } catch (error) {
        this.#note(error);
        yield* this.#recover(depth);
      }
    } while (reader.fastPath.readMember() || (yield* reader.tokens.read()));
    this.#note(broken);
    return target;
  }

  /** Reads a member without a generator, if that is possible. */
  #plainMember(members: MemberTypes, target: BoundObject, written: string): boolean {
    const name = findMember(members, written);
    if (name === undefined || !this.#reader.fastPath.readValue(members[name]!)) return false;
    target[name] = expectType(this.#state, members[name]!);
    return true;
  }

  *#member(members: MemberTypes, target: BoundObject, written: string): Generator<void, void> {
    const name = findMember(members, written);
    if (name === undefined) {
      if (yield* this.#reader.tokens.read()) yield* this.#reader.tokens.skip();
      return;
    }
    const kind = members[name]!;
    const isList = items[kind] !== undefined && this.#reader.fastPath.readListStart();
    if (!isList && !(yield* this.#readFor(kind))) throw broken;
    const start = this.#state.token === 'StartArray' || this.#state.token === 'StartObject';
    target[name] = yield* this.#value(kind, start ? (target[name] ?? undefined) : undefined);
  }

  *#list(expected: ValueType, existing: unknown, id: string | undefined): Generator<void, unknown> {
    const reader = this.#reader;
    const item = items[expected];
    if (item === undefined) throw broken;
    const list = (existing ?? []) as unknown[];
    this.#remember(id, expected, list);
    const { depth } = this.#state;
    let lastError: number | undefined;
    for (;;) {
      try {
        const isPlain = reader.fastPath.readEnd() || reader.fastPath.readValue(item);
        if (!isPlain && !(yield* this.#readFor(item))) break;
        if (this.#state.token === 'EndArray') return list;
        if (this.#state.token === 'Comment') continue;
        list.push(isPlain ? expectType(this.#state, item) : yield* this.#value(item, undefined));
        this.#budget.spend(item === 'attachment' ? objectValues : 1);
      } catch (error) {
        const index = this.#state.indexAt(depth);
        this.#note(error);
        yield* this.#recover(depth + 1);
        // No progress since the last error. Json.NET stops here, too, to avoid an endless loop.
        if (lastError === index) throw broken;
        lastError = index;
      }
    }
    this.#note(broken);
    return list;
  }

  *#expectToken(): Generator<void, void> {
    if (!this.#reader.fastPath.readMember() && !(yield* this.#reader.tokens.read())) throw broken;
  }
}
