import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/* Documents over a schema, by chance: what a client could write, with what it could get wrong. */

export type Draw = (below: number) => number;

/** The same numbers for the same seed, on every machine. */
export function drawsOf(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export interface RandomDocument {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** Values of scalars; of fields that are left out, as they differ from one desk to another. */
export interface Vocabulary {
  readonly ids: readonly string[];
  readonly leaveOut?: (field: GraphQLField<unknown, unknown>, on: string) => boolean;
}

export function randomDocument(
  schema: GraphQLSchema,
  operation: 'query' | 'mutation',
  draw: Draw,
  words: Vocabulary,
): RandomDocument {
  return new Writer(schema, draw, words).document(operation);
}

class Writer {
  readonly #schema: GraphQLSchema;
  readonly #draw: Draw;
  readonly #words: Vocabulary;
  readonly #variables: Record<string, unknown> = {};
  readonly #declarations: string[] = [];
  readonly #fragments: string[] = [];
  #names = 0;

  constructor(schema: GraphQLSchema, draw: Draw, words: Vocabulary) {
    this.#schema = schema;
    this.#draw = draw;
    this.#words = words;
  }

  document(operation: 'query' | 'mutation'): RandomDocument {
    const root = operation === 'query' ? this.#schema.getQueryType()! : this.#schema.getMutationType()!;
    const body = this.#selection(root, operation === 'query' ? 6 : 5);
    const declared = this.#declarations.length === 0 ? '' : `(${this.#declarations.join(' ')})`;
    const name = this.#draw(2) === 0 || declared !== '' ? ' Random' : '';
    return {
      query: `${operation}${name}${declared} ${body} ${this.#fragments.join(' ')}`,
      variables: this.#variables,
    };
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#draw(list.length)]!;
  }

  #selection(type: GraphQLOutputType, depth: number): string {
    const named = getNamedType(type);
    const parts: string[] = [];
    const fields =
      isObjectType(named) || isInterfaceType(named)
        ? Object.values(named.getFields()).filter((field) => !this.#words.leaveOut?.(field, named.name))
        : [];
    for (let n = 1 + this.#draw(depth > 4 ? 3 : 4); n > 0; n -= 1) {
      const roll = this.#draw(12);
      if (roll === 0 || (fields.length === 0 && !isAbstractType(named))) parts.push('__typename');
      else if (roll < 3 || fields.length === 0) parts.push(this.#condition(type, depth));
      else {
        const field = this.#pick(fields);
        if (depth > 0 || !isCompositeType(getNamedType(field.type))) parts.push(this.#field(field, depth));
      }
    }
    return `{ ${parts.length === 0 ? '__typename' : parts.join(' ')} }`;
  }

  #condition(type: GraphQLOutputType, depth: number): string {
    const named = getNamedType(type);
    const possible = isAbstractType(named)
      ? this.#schema.getPossibleTypes(named).map(({ name }) => name)
      : [named.name];
    const on = this.#pick([...possible, named.name]);
    const inner = this.#selection(this.#schema.getType(on) as GraphQLOutputType, depth - 1);
    if (this.#draw(3) > 0)
      return this.#draw(4) === 0 && on === named.name ? `... ${inner}` : `... on ${on} ${inner}`;
    const name = `F${this.#names++}`;
    this.#fragments.push(`fragment ${name} on ${on} ${inner}`);
    return this.#draw(4) === 0 ? `...${name} ...${name}` : `...${name}`;
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const args = field.args.flatMap((arg) => this.#argument(arg));
    const alias = args.length > 0 || this.#draw(5) === 0 ? `a${this.#names++}: ` : '';
    const directive =
      this.#draw(25) === 0
        ? ` @${this.#pick(['skip', 'include'])}(if: ${this.#pick(['true', 'false'])})`
        : '';
    const below = isCompositeType(getNamedType(field.type))
      ? ` ${this.#selection(field.type, depth - 1)}`
      : '';
    return `${alias}${field.name}${args.length === 0 ? '' : `(${args.join(', ')})`}${directive}${below}`;
  }

  #argument(arg: GraphQLArgument): string[] {
    const isRequired = isNonNullType(arg.type) && arg.defaultValue === undefined;
    if (!isRequired && this.#draw(2) === 0) return [];
    const value = ['first', 'last'].includes(arg.name) ? 1 + this.#draw(3) : this.#value(arg.type, 3);
    if (this.#draw(2) === 0) return [`${arg.name}: ${literal(value, arg.type)}`];
    const name = `v${this.#names++}`;
    this.#declarations.push(`$${name}: ${arg.type}`);
    // Now and then one that is missing or does not fit.
    const mistake = this.#draw(40);
    if (mistake === 0) this.#variables[name] = this.#pick<unknown>([null, 7, 'x', [], {}, [[1]], true]);
    else if (mistake > 1) this.#variables[name] = value;
    return [`${arg.name}: $${name}`];
  }

  #value(type: GraphQLInputType, depth: number): unknown {
    if (isNonNullType(type))
      return (
        this.#value(type.ofType, depth) ?? this.#value(type.ofType, depth) ?? this.#sure(type.ofType, depth)
      );
    if (this.#draw(12) === 0) return null;
    return this.#sure(type, depth);
  }

  #sure(type: GraphQLInputType, depth: number): unknown {
    if (isNonNullType(type)) return this.#sure(type.ofType, depth);
    if (isListType(type))
      return Array.from({ length: this.#draw(3) }, () => this.#value(type.ofType, depth - 1));
    if (isEnumType(type)) return this.#pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      if (type.isOneOf) {
        const one = this.#pick(fields);
        return { [one.name]: this.#sure(one.type, depth - 1) };
      }
      const given = fields.filter(
        ({ type: of, defaultValue }) =>
          (isNonNullType(of) && defaultValue === undefined) || (depth > 0 && this.#draw(3) === 0),
      );
      return Object.fromEntries(given.map((field) => [field.name, this.#value(field.type, depth - 1)]));
    }
    const scalars: Record<string, readonly unknown[]> = {
      Int: [1, 2, 3, 5, 46, 47, 48, 0, -1, 101],
      Float: [1.5],
      Boolean: [true, false],
      ID: this.#words.ids,
      String: ['INC-000047', 'INC-000046', 'inc-000047', 'x', '', 'ä"\\\n', 'company@domain.com', 'en'],
      DateTime: ['2026-12-01T10:00:00Z', '2027-02-28T10:00:00.123+01:00'],
    };
    return this.#pick(scalars[getNamedType(type).name] ?? [null]);
  }
}

/** A value as it is written in a document. */
function literal(value: unknown, type: GraphQLInputType): string {
  if (value === null || value === undefined) return 'null';
  const bare = isNonNullType(type) ? type.ofType : type;
  if (isEnumType(bare)) return String(value);
  if (Array.isArray(value))
    return `[${value.map((item) => literal(item, isListType(bare) ? bare.ofType : bare)).join(', ')}]`;
  if (isInputObjectType(bare) && typeof value === 'object') {
    const fields = bare.getFields();
    return `{${Object.entries(value)
      .map(([name, item]) => `${name}: ${literal(item, fields[name]!.type)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}
