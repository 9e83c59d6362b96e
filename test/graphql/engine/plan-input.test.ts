import fc from 'fast-check';
import {
  buildSchema,
  type GraphQLScalarType,
  getVariableValues,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { expect, test } from 'vitest';
import { planVariables } from '../../../src/graphql/engine/plan-input.ts';
import { soaking } from '../../support/soak.ts';

/* graphql-js says what fits and what becomes of it. */

const schema = buildSchema(`
  scalar Even
  enum Colour { RED GREEN }
  input One @oneOf { id: ID number: Int name: String }
  input Deep {
    text: String! colour: Colour! = RED even: Even list: [Int!]! = [1, 2] lists: [[String]]
    one: One! ones: [One!]
    deep: Deep
    flag: Boolean = true ratio: Float id: ID
  }
  type Query { any(deep: Deep, one: One, deeps: [Deep!], colours: [Colour!], times: Int, even: Even): Int }
`);
Object.assign(schema.getType('Even') as GraphQLScalarType, {
  parseValue: (value: unknown) => {
    if (typeof value !== 'number') throw new TypeError('not a number');
    return value % 2 === 0 ? { half: value / 2 } : undefined;
  },
});
const text = `query (
  $deep: Deep $one: One! $deeps: [Deep!]! = [{ text: "x", one: { id: 1 } }] $colours: [Colour!] = [GREEN]
  $times: Int! = 3 $even: Even
) { any(deep: $deep, one: $one, deeps: $deeps, colours: $colours, times: $times, even: $even) }`;
const document = parse(text);
const { variableDefinitions } = document.definitions[0] as OperationDefinitionNode;

const some = (...values: fc.Arbitrary<unknown>[]) => fc.oneof(...values);
/** Mostly what fits; now and then anything. */
const mostly = (value: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { arbitrary: value, weight: 200 },
    { arbitrary: fc.constant(null), weight: 1 },
    { arbitrary: fc.jsonValue({ maxDepth: 1 }), weight: 1 },
    // One field more than there is.
    {
      arbitrary: fc.record({ text: fc.string(), one: fc.record({ id: fc.nat() }), more: fc.nat() }),
      weight: 1,
    },
  );
const colour = mostly(fc.constantFrom('RED', 'GREEN'));
const one = mostly(
  fc.oneof(
    {
      arbitrary: some(
        fc.record({ id: some(fc.string(), fc.integer()) }),
        fc.record({ number: fc.integer({ max: 9 }) }),
        fc.record({ name: fc.string() }),
      ),
      weight: 12,
    },
    {
      arbitrary: fc.record({ id: mostly(fc.string()), number: mostly(fc.nat()) }, { requiredKeys: [] }),
      weight: 1,
    },
  ),
);
const { deep } = fc.letrec((tie) => ({
  deep: mostly(
    fc.record(
      {
        text: mostly(fc.string()),
        one,
        colour,
        even: mostly(fc.nat(9).map((half) => 2 * half)),
        list: mostly(some(fc.array(mostly(fc.nat())), fc.nat())),
        lists: mostly(fc.array(mostly(some(fc.array(mostly(fc.string())), fc.string())))),
        ones: mostly(fc.array(one)),
        deep: fc.option(tie('deep'), { freq: 2, maxDepth: 2 }),
        flag: mostly(fc.boolean()),
        ratio: mostly(some(fc.double(), fc.nat())),
        id: mostly(some(fc.string(), fc.nat())),
      },
      { requiredKeys: ['text', 'one'] },
    ),
  ),
}));
const given = fc.record(
  {
    deep,
    one,
    deeps: mostly(some(fc.array(deep), deep)),
    colours: mostly(some(fc.array(colour), colour)),
    times: mostly(fc.nat()),
    even: mostly(fc.constant(4)),
  },
  { requiredKeys: ['one'] },
);

test('the variables of the test are those of a valid document', () => {
  expect(validate(schema, document)).toEqual([]);
});

test('variables become what graphql-js makes of them, or do not fit when it says so', () => {
  const coerce = planVariables(schema, variableDefinitions!);
  const numRuns = soaking ? 3000 : 300;
  const seen = { fits: 0, not: 0 };
  fc.assert(
    fc.property(given, (variables) => {
      const { coerced } = getVariableValues(
        schema,
        variableDefinitions!,
        variables as Record<string, unknown>,
      );
      expect(coerce(variables as Record<string, unknown>)).toStrictEqual(coerced);
      seen[coerced === undefined ? 'not' : 'fits'] += 1;
    }),
    { numRuns },
  );
  expect(Math.min(seen.fits, seen.not)).toBeGreaterThan(numRuns / 10);
});

test.each([
  '{ "one": { "id": "1", "__proto__": 1 } }',
  '{ "one": { "constructor": 1 } }',
  '{ "one": { "id": "1", "number": null } }',
  '{ "one": {} }',
  '{ "one": [{ "id": "1" }] }',
  '{ "one": "id" }',
  '{}',
])('%s does not fit', (json) => {
  const variables = JSON.parse(json);
  expect(getVariableValues(schema, variableDefinitions!, variables).errors).toBeDefined();
  expect(planVariables(schema, variableDefinitions!)(variables)).toBeUndefined();
});
