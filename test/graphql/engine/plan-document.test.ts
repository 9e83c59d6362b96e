import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  buildSchema,
  type ExecutionResult,
  execute,
  type GraphQLAbstractType,
  type GraphQLError,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  NoUnusedFragmentsRule,
  NoUnusedVariablesRule,
  OperationTypeNode,
  parse,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  validate,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { planOf } from '../../../src/graphql/engine/plan-document.ts';
import { ResponseBudget } from '../../../src/graphql/engine/response-budget.ts';
import { runPlan } from '../../../src/graphql/engine/run-plan.ts';
import { schema as ours } from '../../../src/graphql/execute/schema.ts';
import { soaking } from '../../support/soak.ts';

/*
 * graphql-js defines the result, and a plan must give the same. Everything that a resolver can do happens
 * here at random.
 */

const schema = buildSchema(`
  enum Colour { RED GREEN }
  interface Named {
    name: String! nickname: String colour: Colour friend: Named friends(first: Int = 3): [Named]
  }
  type Person implements Named {
    name: String! nickname: String colour: Colour friend: Named friends(first: Int = 3): [Named]
    age: Int echo(text: String = "nothing", times: Int!): String! pets: [Animal!]! best: Animal!
    matrix: [[Int!]]
  }
  type Dog implements Named {
    name: String! nickname: String colour: Colour friend: Named friends(first: Int = 3): [Named]
    owner: Person! barks: Boolean tags: [String!]
  }
  union Animal = Dog | Cat
  type Cat { lives: Int! owner: Person }
  type Query { person: Person somebody: Person! named: Named animals: [Animal] }
  type Mutation { person: Person somebody: Person! animals: [Animal!] }
  type Subscription { person: Person somebody: Person! animals: [Animal!] }
`);
const objects = Object.values(schema.getTypeMap()).filter(
  (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'),
);

interface Thing {
  readonly is: string;
  readonly id: string;
}
interface Chance {
  readonly seed: number;
  /** Of a hundred values, how many are something else than a resolver should return. */
  readonly bad: number;
}

/** The same number for the same text, whoever asks and when. */
function chance(text: string, below: number): number {
  let hash = 2166136261;
  for (let n = 0; n < text.length; n++) hash = Math.imul(hash ^ text.charCodeAt(n), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
  return ((hash ^ (hash >>> 13)) >>> 0) % below;
}

/**
 * Some turns of the event loop later, so that what comes first does not depend on how many promises it passed
 * through.
 */
async function later<V>(turns: number, value: () => V): Promise<V> {
  for (let turn = 0; turn <= turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  return value();
}

function outcomeOf(type: GraphQLOutputType, id: string, { seed, bad }: Chance): unknown {
  const roll = (what: string, below: number) => chance(`${seed} ${id} ${what}`, below);
  const fail = () => {
    throw new Error(`${id} failed`);
  };
  const isLate = roll('late', 3) === 0;
  const turns = roll('turns', 6);
  if (roll('bad', 100) < bad) {
    switch (roll('how', 6)) {
      case 0:
        return isLate ? later(turns, fail) : fail();
      case 1:
        return isLate ? later(turns, () => new Error(`${id} is wrong`)) : new Error(`${id} is wrong`);
      case 2:
        return isLate ? later(turns, () => null) : null;
      case 3:
        return undefined;
      case 4:
        return isListType(isNonNullType(type) ? type.ofType : type) ? 42 : null;
      default:
        return isCompositeType(getNamedType(type)) ? null : { odd: id };
    }
  }
  const value = () => goodValue(type, id, { seed, bad });
  return isLate ? later(turns, value) : value();
}

function goodValue(type: GraphQLOutputType, id: string, by: Chance): unknown {
  const roll = (what: string, below: number) => chance(`${by.seed} ${id} ${what}`, below);
  if (isNonNullType(type)) return goodValue(type.ofType, id, by);
  if (isListType(type)) {
    const items = Array.from({ length: roll('length', 4) }, (_, n) => itemOf(type.ofType, `${id}.${n}`, by));
    return roll('set', 4) === 0 ? new Set(items) : items;
  }
  if (isCompositeType(type)) {
    const names = isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [type.name];
    return { is: names[roll('type', names.length)]!, id } satisfies Thing;
  }
  const leaves: Record<string, unknown> = { Int: roll('int', 100), Boolean: true, String: id, Colour: 'RED' };
  return leaves[type.name];
}

/**
 * When an item fails synchronously in a list of non-null items, graphql-js does not handle the rejections of
 * the other items, which ends the process. It is no reference there, so such items fail later.
 */
function itemOf(type: GraphQLOutputType, id: string, by: Chance): unknown {
  if (isNonNullType(type) && isCompositeType(type.ofType))
    return later(chance(`${by.seed} ${id} turns`, 6), () => outcomeOf(type, id, by));
  try {
    return outcomeOf(type, id, isNonNullType(type) ? { ...by, bad: 0 } : by);
  } catch (error) {
    return error;
  }
}

for (const type of objects) {
  for (const field of Object.values(type.getFields())) {
    field.resolve = (source, args, by: Chance, info) => {
      const id = `${(source as Thing | undefined)?.id ?? ''}/${info.path.key}${JSON.stringify(args)}`;
      if (
        info.parentType !== type ||
        info.returnType !== field.type ||
        info.schema !== schema ||
        info.rootValue === undefined
      )
        throw new Error('info');
      return outcomeOf(field.type, id, by);
    };
  }
}
// Some have no resolver, as most of ours: a member of their object, or a function of it.
const plain = new Set(['nickname', 'age', 'barks', 'tags', 'lives']);
for (const type of objects) {
  for (const field of Object.values(type.getFields())) if (plain.has(field.name)) delete field.resolve;
}
const resolveType: GraphQLAbstractType['resolveType'] = (value: Thing, by: Chance) =>
  chance(`${by.seed} ${value.id} late type`, 3) === 0 ? later(1, () => value.is) : value.is;
for (const type of Object.values(schema.getTypeMap()))
  if (isAbstractType(type)) type.resolveType = resolveType;

const unneeded = [NoUnusedVariablesRule, NoUnusedFragmentsRule, SingleFieldSubscriptionsRule];
const rules = specifiedRules.filter((rule) => !unneeded.includes(rule));

type Draw = (below: number) => number;

/** A selection of fields of a type; not always valid. */
function selection(type: GraphQLOutputType, draw: Draw, depth: number, fragments: readonly string[]): string {
  const named = getNamedType(type);
  const fields =
    isObjectType(named) || named.name === 'Named'
      ? Object.values((named as GraphQLObjectType).getFields())
      : [];
  const parts: string[] = [];
  for (let n = 1 + draw(4); n > 0; n--) {
    const which = draw(fields.length + 4);
    const field = fields[which];
    if (field !== undefined) {
      const times = draw(3);
      const args =
        field.name === 'echo'
          ? ['(times: 2)', '(text: $text, times: $times)', '(text: null, times: 1)'][times]!
          : '';
      const alias = args !== '' ? `e${times}: ` : draw(4) === 0 ? `${field.name}_: ` : '';
      const isLeaf = !isCompositeType(getNamedType(field.type));
      if (!isLeaf && depth === 0) continue;
      parts.push(
        alias + field.name + args + (isLeaf ? '' : selection(field.type, draw, depth - 1, fragments)),
      );
    } else if (which === fields.length && fragments.length > 0)
      parts.push(`...${fragments[draw(fragments.length)]}`);
    else if (which === fields.length + 1 && depth > 0) {
      const on = ['Person', 'Dog', 'Cat', 'Named', 'Animal'][draw(5)]!;
      parts.push(
        `... on ${on} ${selection(schema.getType(on) as GraphQLObjectType, draw, depth - 1, fragments)}`,
      );
    } else if (which === fields.length + 2 && depth > 0)
      parts.push(`... ${selection(type, draw, depth - 1, fragments)}`);
    else parts.push('__typename');
  }
  return `{ ${parts.length === 0 ? '__typename' : parts.join(' ')} }`;
}

const told = ({ data, errors }: ExecutionResult) => ({
  // As text: the order of fields counts.
  data: JSON.stringify(data),
  errors: errors
    ?.map((error: GraphQLError) =>
      JSON.stringify({ ...error.toJSON(), original: error.originalError?.message }),
    )
    .sort(),
});

async function bothWays(text: string, by: Chance, variableValues: Record<string, unknown>) {
  const document = parse(text);
  const plan = planOf(schema, document)!;
  const rootValue = { id: 'event' };
  const of = { budget: new ResponseBudget(Infinity), limit: () => undefined, rootValue };
  const coercion = { maxErrors: 50, hideSuggestions: false };
  return {
    planned: told(await runPlan(plan, by, variableValues, { ...of, coercion })),
    reference: told(await execute({ schema, document, contextValue: by, variableValues, rootValue })),
  };
}

describe('a plan', () => {
  test('answers as graphql-js does, whatever resolvers return, throw or promise', async () => {
    const seen = { data: 0, errors: 0, nothing: 0 };
    const numRuns = soaking ? 1500 : 150;
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const draw: Draw = (below) => g(fc.nat, below - 1);
        const kind = [OperationTypeNode.QUERY, OperationTypeNode.MUTATION, OperationTypeNode.SUBSCRIPTION][
          draw(3)
        ]!;
        const root = schema.getRootType(kind)!;
        const named = schema.getType('Named') as GraphQLObjectType;
        const fragment = `fragment F on Named ${selection(named, draw, 1, [])}`;
        const body = selection(root, draw, 3, ['F']);
        const text = `${kind} ($text: String, $times: Int! = 1) ${body} ${fragment}`;
        fc.pre(validate(schema, parse(text), rules).length === 0);
        const variables = [
          {},
          { text: 'x', times: 2 },
          { text: null },
          { times: 'many', text: 3 },
          { times: null },
        ][draw(5)]!;
        const { planned, reference } = await bothWays(
          text,
          { seed: draw(1000), bad: [0, 5, 25][draw(3)]! },
          variables,
        );
        expect(planned).toEqual(reference);
        seen[reference.data === undefined ? 'nothing' : reference.errors === undefined ? 'data' : 'errors'] +=
          1;
      }),
      { numRuns },
    );
    expect(Object.values(seen).every((times) => times > numRuns / 75)).toBe(true);
  }, 300_000);

  test('says where a type that cannot be is, as graphql-js does', async () => {
    const odd = buildSchema(
      'interface Named { name: String } type Person implements Named { name: String } type Query { ' +
        'named: Named list: [Named!] }',
    );
    const query = odd.getQueryType()!.getFields();
    (odd.getType('Named') as GraphQLAbstractType).resolveType = (value: string) => value;
    query.named!.resolve = () => 'Query';
    query.list!.resolve = () => ['Person', 'Nobody'];
    const document = parse('{ named { name } list { name } }');
    const places = ({ data, errors }: ExecutionResult) => [
      JSON.stringify(data),
      errors?.map(({ path, locations }) => [path, locations]),
    ];
    const planned = places(await runPlan(planOf(odd, document)!, {}));
    expect(planned).toEqual(places(await execute({ schema: odd, document })));
    expect(planned[1]).toHaveLength(2);
  });

  test.each(['{ a { now soon { late } } b { late } }', '{ b { late } c { now soon { late } } }'])(
    'tells no error of a place that is not in the answer: %s',
    async (text) => {
      const slow = buildSchema('type T { now: Int! soon: T! late: Int } type Query { a: T b: T c: T! } ');
      const fail = () => {
        throw new Error('failed');
      };
      const { a, b, c } = slow.getQueryType()!.getFields();
      for (const field of [a, b, c]) field!.resolve = () => ({});
      const { now, soon, late } = (slow.getType('T') as GraphQLObjectType).getFields();
      now!.resolve = () => later(0, fail);
      soon!.resolve = () => ({});
      // Of the two that are late, the one of a place that is gone is first.
      late!.resolve = (_source, _args, _by, { path }) => later(path.prev!.key === 'soon' ? 2 : 4, fail);
      const document = parse(text);
      const planned = await runPlan(planOf(slow, document)!, {});
      const reference = await execute({ schema: slow, document });
      await later(6, () => {});
      expect(told(planned)).toEqual(told(reference));
      expect(planned.errors).toHaveLength(text.includes('c {') ? 1 : 2);
    },
  );

  test('hears of every item that fails, also of those beside one that failed at once', async () => {
    const late = buildSchema('type Query { list: [Int!] }');
    const fail = () => {
      throw new Error('failed');
    };
    late.getQueryType()!.getFields().list!.resolve = () => [
      later(3, fail),
      new Error('at once'),
      later(1, fail),
    ];
    const { data, errors } = await runPlan(planOf(late, parse('{ list }'))!, {});
    expect(JSON.stringify(data)).toBe('{"list":null}');
    expect(errors?.map(({ message, path }) => [message, path])).toEqual([['at once', ['list', 1]]]);
  });

  test('runs mutations one after the other', async () => {
    const order: string[] = [];
    const slow = buildSchema('type Query { a: Int } type Mutation { a: Int b: Int c: Int! d: Int }');
    for (const [n, field] of Object.values(slow.getMutationType()!.getFields()).entries()) {
      field.resolve = async () => {
        order.push(`${field.name} begins`);
        await later(4 - n, () => {});
        order.push(`${field.name} ends`);
        if (field.name === 'b') throw new Error('b fails');
        return n;
      };
    }
    const { data, errors } = await runPlan(planOf(slow, parse('mutation { a b c d }'))!, {});
    expect(JSON.stringify(data)).toBe('{"a":0,"b":null,"c":2,"d":3}');
    expect(errors).toHaveLength(1);
    expect(order).toEqual(['a', 'b', 'c', 'd'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  test.each([
    ['a directive', 'query ($yes: Boolean!) { person { name @include(if: $yes) } }'],
    ['a directive of a fragment', '{ person { ... @skip(if: false) { name } } }'],
    ['introspection', '{ __schema { types { name } } }'],
    ['a member that every object has', '{ __proto__: person { name } }'],
    ['two operations', 'query A { person { name } } query B { person { name } }'],
    [
      'a variable that every object has',
      'query ($__proto__: Int = 1) { named { friends(first: $__proto__) { name } } }',
    ],
    ['more fields than are worth keeping', manyFields()],
  ])('is not made of %s', (_what, text) => {
    const document = parse(text);
    expect(validate(schema, document)).toEqual([]);
    expect(planOf(schema, document)).toBeUndefined();
  });

  test('is made of the operations of the legacy door', () => {
    const folder = new URL('../../../schema/operations/', import.meta.url);
    for (const file of readdirSync(folder)) {
      expect(planOf(ours, parse(readFileSync(new URL(file, folder), 'utf8'))), file).toBeDefined();
    }
  });
});

/** Each fragment spreads the next one twice: 2 to the 12th fields in few words. */
function manyFields(): string {
  const fragments = Array.from(
    { length: 12 },
    (_, n) => `fragment F${n} on Named { a: friend { ...F${n + 1} } b: friend { ...F${n + 1} } }`,
  );
  return `{ named { ...F0 } } ${fragments.join(' ')} fragment F12 on Named { name }`;
}
