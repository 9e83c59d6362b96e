import { type Container, type Position, pathOf, position } from './container-path.ts';

/** Json.NET's `JsonToken`. */
export type Token =
  | 'None'
  | 'StartObject'
  | 'StartArray'
  | 'StartConstructor'
  | 'PropertyName'
  | 'Comment'
  | 'Integer'
  | 'Float'
  | 'String'
  | 'Boolean'
  | 'Null'
  | 'Undefined'
  | 'EndObject'
  | 'EndArray'
  | 'EndConstructor'
  | 'Bytes';

type State =
  | 'Start'
  | 'Property'
  | 'ObjectStart'
  | 'Object'
  | 'ArrayStart'
  | 'Array'
  | 'ConstructorStart'
  | 'Constructor'
  | 'PostValue'
  | 'Finished';

/**
 * The error for any fault in a JSON document. One shared object: clients never see details, and a hostile
 * body causes many.
 */
export const broken = new Error('invalid JSON');

/** The state after a comma, by the container. */
const afterCommaIn = {
  none: 'Finished',
  object: 'Object',
  array: 'Array',
  constructor: 'Constructor',
} as const satisfies Record<Container, State>;

const maxDepth = 256;
/** The old reader continued after nesting that was too deep. We stop here. */
const maxNest = 1024;

/**
 * Ends the reading of a document: it has as many errors as may be recorded, or its nesting is deeper than
 * 1,024 containers. Further errors would not change the answer.
 */
export class EnoughErrors extends Error {}

/**
 * The state of Json.NET's reader: its token, its position and what may follow. The old service's answers
 * depend on it even after an error (which path is reported, how often), so states and transitions are
 * Json.NET's own.
 */
export class JsonState {
  /** The current token. */
  token: Token = 'None';
  /** The current token's value; undefined for a token that has none. */
  value: unknown;
  /** What may follow the current token, in the words of Json.NET's reader. */
  current: State = 'Start';
  readonly #stack: Position[] = [];
  #current: Position = position('none');
  #tooDeep = false;

  /**
   * Number of containers around the current token, as Json.NET counts: a token that begins one is not in it.
   */
  get depth(): number {
    const start =
      this.token === 'StartObject' || this.token === 'StartArray' || this.token === 'StartConstructor';
    return start || this.#current.container === 'none' ? this.#stack.length : this.#stack.length + 1;
  }

  /** Path of the current token: `Attachments[0].FileName`. Empty at the top level. */
  get path(): string {
    if (this.#current.container === 'none') return '';
    const before =
      this.current === 'ArrayStart' || this.current === 'ConstructorStart' || this.current === 'ObjectStart';
    return pathOf(before ? this.#stack : [...this.#stack, this.#current]);
  }

  /** The kind of container that the current token is in, or begins. */
  get container(): Container {
    return this.#current.container;
  }

  /** The current index in the container at this depth (0: the outermost). */
  indexAt(depth: number): number {
    return (this.#stack[depth] ?? this.#current).index;
  }

  /** Whether a value here is an argument of a constructor. */
  get inConstructor(): boolean {
    return this.current === 'Constructor' || this.current === 'ConstructorStart';
  }

  /** Whether the end of an array may follow here. */
  get inArray(): boolean {
    return this.current === 'Array' || this.current === 'ArrayStart' || this.current === 'PostValue';
  }

  /**
   * Moves to a token and to the state after it.
   * @param counts whether a value advances the index of its array
   * @throws the error `broken` for an end that does not match its container, and once for nesting beyond 256
   *   containers; EnoughErrors beyond 1,024
   */
  setToken(token: Token, value: unknown = undefined, counts = true): void {
    this.token = token;
    this.value = value;
    switch (token) {
      case 'StartObject':
        this.current = 'ObjectStart';
        this.#push('object');
        return;
      case 'StartArray':
        this.current = 'ArrayStart';
        this.#push('array');
        return;
      case 'StartConstructor':
        this.current = 'ConstructorStart';
        this.#push('constructor');
        return;
      case 'EndObject':
        this.#end('object');
        return;
      case 'EndArray':
        this.#end('array');
        return;
      case 'EndConstructor':
        this.#end('constructor');
        return;
      case 'PropertyName':
        this.current = 'Property';
        this.#current.property = value as string;
        return;
      case 'None':
      case 'Comment':
        return;
      default:
        this.afterValue(counts);
    }
  }

  /**
   * Enters the state after a value.
   * @param counts whether the value advances the index of its array
   */
  afterValue(counts: boolean): void {
    this.current = this.#current.container === 'none' ? 'Finished' : 'PostValue';
    if (counts) this.#count();
  }

  /** Enters the state after a comma in the current container. */
  afterComma(): void {
    this.current = afterCommaIn[this.#current.container];
  }

  #count(): void {
    if (this.#current.container === 'array' || this.#current.container === 'constructor')
      this.#current.index++;
  }

  #push(container: Container): void {
    this.#count();
    if (this.#current.container === 'none') {
      this.#current = position(container);
      return;
    }
    if (this.#stack.length >= maxNest) throw new EnoughErrors();
    this.#stack.push(this.#current);
    this.#current = position(container);
    if (this.depth + 1 > maxDepth && !this.#tooDeep) {
      this.#tooDeep = true;
      throw broken;
    }
  }

  #end(container: Container): void {
    const ended = this.#current.container;
    this.#current = this.#stack.pop() ?? position('none');
    if (this.depth <= maxDepth) this.#tooDeep = false;
    if (ended !== container) throw broken;
    this.current = this.#current.container === 'none' ? 'Finished' : 'PostValue';
  }
}
