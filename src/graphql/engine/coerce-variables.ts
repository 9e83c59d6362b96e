import { type GraphQLSchema, getVariableValues, type VariableDefinitionNode } from 'graphql';

/** Variables by name, as the client sent them. */
export type RawVariables = Readonly<Record<string, unknown>>;
/** Options of graphql-js for reporting invalid variables. */
export interface CoercionOptions {
  /** Errors after which graphql-js stops coercing. */
  readonly maxErrors: number;
  /** Whether errors leave out `Did you mean …?`, which shows names of the schema. */
  readonly hideSuggestions: boolean;
}

/** Longer texts are cut before errors are made: an error repeats its value several times. */
const longest = 1000;
/** Maximum depth that is searched for long texts. No input type is as deep. */
const deepest = 20;

/**
 * Coerces variables as graphql-js does. graphql-js repeats a value in each error about it. So when a text or
 * a name is longer than 1,000 characters, a copy in which these are cut to 1,000 is coerced first. If that
 * fails, its errors are returned; otherwise the variables themselves are coerced.
 * @param variables may contain files that are still arriving; they are passed on as they are
 * @returns `coerced`, with defaults filled in, or `errors`; invalid variables do not make it throw
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

/** Returns the same object when nothing in it is long. */
function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > longest ? value.slice(0, longest) : value;
  if (typeof value !== 'object' || value === null || depth > deepest) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => shortened(item, depth + 1));
    return items.every((item, n) => item === value[n]) ? value : items;
  }
  // A file that is still arriving is not a plain object.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const members = Object.entries(value).map(
    ([name, member]) => [name, member, shortened(member, depth + 1)] as const,
  );
  if (members.every(([name, member, shorter]) => member === shorter && name.length <= longest)) return value;
  return Object.fromEntries(members.map(([name, , shorter]) => [name.slice(0, longest), shorter]));
}
