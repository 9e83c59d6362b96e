import { type GraphQLSchema, getVariableValues, type VariableDefinitionNode } from 'graphql';

/** Values by the variables' names, whatever a client sent. */
export type RawVariables = Readonly<Record<string, unknown>>;
/** How graphql-js is asked what is wrong with variables. */
export interface CoercionOptions {
  readonly maxErrors: number;
  readonly hideSuggestions: boolean;
}

/** Characters of a text that an error would repeat several times over, and nobody would read. */
const longest = 1000;
/** Levels of a value that are looked through; no input has as many. */
const deepest = 20;

/**
 * As graphql-js coerces variables, but that what is wrong with megabytes is found out on what is left of
 * them: it repeats a value in each error that is about it.
 */
export function coerceVariables(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
  variables: RawVariables,
  options: CoercionOptions,
): ReturnType<typeof getVariableValues> {
  const shorter = shortened(variables, 0) as RawVariables;
  if (shorter !== variables) {
    const found = getVariableValues(schema, definitions, shorter, options);
    if (found.errors !== undefined) return found;
  }
  return getVariableValues(schema, definitions, variables, options);
}

/** The same value when nothing in it is long. */
function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > longest ? value.slice(0, longest) : value;
  if (typeof value !== 'object' || value === null || depth > deepest) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => shortened(item, depth + 1));
    return items.every((item, n) => item === value[n]) ? value : items;
  }
  // A file that is arriving is no value of JSON.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const members = Object.entries(value).map(
    ([name, member]) => [name, member, shortened(member, depth + 1)] as const,
  );
  if (members.every(([, member, shorter]) => member === shorter)) return value;
  return Object.fromEntries(members.map(([name, , shorter]) => [name, shorter]));
}
