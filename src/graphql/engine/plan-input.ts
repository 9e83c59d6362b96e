import {
  type FieldNode,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLSchema,
  getArgumentValues,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  typeFromAST,
  type VariableDefinitionNode,
  valueFromAST,
} from 'graphql';
import type { RawVariables } from './coerce-variables.ts';

/**
 * Coerces the variables of one operation, and fills in defaults. Unknown names are ignored. It throws
 * nothing.
 * @returns undefined when they are invalid, or may be: graphql-js then coerces them again and reports why
 */
export type CoerceVariables = (given: RawVariables) => Record<string, unknown> | undefined;

/**
 * Computes a field's arguments from variables. The result must not be changed: it may be frozen and shared.
 * @param variables already coerced
 * @throws GraphQLError as graphql-js does
 */
export type ArgumentsOf = (variables: RawVariables) => Record<string, unknown>;

/** For fields without arguments, which are most fields of a page. No resolver may add to it. */
const none: Record<string, unknown> = Object.freeze({});

/**
 * Prepares the arguments of a field. Most clients' arguments are all variables, which are coerced already and
 * are only looked up here. graphql-js computes the arguments of all other fields.
 * @param node a selection of the field
 */
export function planArguments(definition: GraphQLField<unknown, unknown>, node: FieldNode): ArgumentsOf {
  const exact: ArgumentsOf = (variables) => getArgumentValues(definition, node, variables);
  const given = new Map(node.arguments?.map(({ name, value }) => [name.value, value]));
  const looked: { name: string; variable: string; required: boolean }[] = [];
  for (const { name, type, defaultValue } of definition.args) {
    const value = given.get(name);
    if (value?.kind === Kind.VARIABLE)
      looked.push({ name, variable: value.name.value, required: isNonNullType(type) });
    else if (value !== undefined || defaultValue !== undefined || isNonNullType(type)) return exact;
  }
  if (looked.length === 0) return () => none;
  return (variables) => {
    const found: Record<string, unknown> = {};
    for (const { name, variable, required } of looked) {
      const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined;
      if (value === undefined || (value === null && required)) return exact(variables);
      found[name] = value;
    }
    return found;
  };
}

type Coerce = (value: unknown) => unknown;

// Shared, because creating an error costs more than the coercion. It is always caught here.
const unfit = new Error('The input does not fit');

/** Prepares the coercion of a valid operation's variables by the types that it declares for them. */
export function planVariables(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
): CoerceVariables {
  const variables = definitions.map((definition) => {
    const type = typeFromAST(schema, definition.type) as GraphQLInputType;
    return {
      name: definition.variable.name.value,
      type,
      default: definition.defaultValue,
      coerce: coercion(type),
    };
  });
  return (given) => {
    const coerced: Record<string, unknown> = {};
    try {
      for (const variable of variables) {
        const { name, type } = variable;
        if (Object.hasOwn(given, name)) coerced[name] = variable.coerce(given[name]);
        else if (variable.default !== undefined) coerced[name] = valueFromAST(variable.default, type);
        else if (isNonNullType(type)) return undefined;
      }
    } catch {
      // Scalars throw errors of their own, too.
      return undefined;
    }
    return coerced;
  };
}

function coercion(type: GraphQLInputType): Coerce {
  if (isNonNullType(type)) {
    const coerce = coercion(type.ofType);
    return (value) => {
      if (value == null) throw unfit;
      return coerce(value);
    };
  }
  const coerce = isListType(type)
    ? list(coercion(type.ofType))
    : isInputObjectType(type)
      ? object(type)
      : leaf(type);
  return (value) => (value == null ? null : coerce(value));
}

const leaf =
  (type: GraphQLLeafType): Coerce =>
  (value) => {
    // GraphQLEnumType would search for similar names, which takes long for a long value.
    if (isEnumType(type) && (typeof value !== 'string' || type.getValue(value) === undefined)) throw unfit;
    const parsed = type.parseValue(value);
    if (parsed === undefined) throw unfit;
    return parsed;
  };

const list =
  (coerce: Coerce): Coerce =>
  (value) => {
    // graphql-js also accepts other iterables, which JSON does not have.
    if (typeof value === 'object' && !Array.isArray(value) && Symbol.iterator in value!) throw unfit;
    return Array.isArray(value) ? value.map(coerce) : [coerce(value)];
  };

function object(type: GraphQLInputObjectType): Coerce {
  const definitions = type.getFields();
  // Created on first use, because an input type may contain itself.
  let fields: { name: string; required: boolean; default: unknown; coerce: Coerce }[] | undefined;
  return (value) => {
    if (typeof value !== 'object' || Array.isArray(value)) throw unfit;
    fields ??= Object.values(definitions).map((field) => ({
      name: field.name,
      required: isNonNullType(field.type),
      default: field.defaultValue,
      coerce: coercion(field.type),
    }));
    const given = value as Record<string, unknown>;
    const coerced: Record<string, unknown> = {};
    for (const field of fields) {
      const of = given[field.name];
      if (of !== undefined) coerced[field.name] = field.coerce(of);
      else if (field.default !== undefined) coerced[field.name] = field.default;
      else if (field.required) throw unfit;
    }
    for (const name in given) if (definitions[name] === undefined) throw unfit;
    if (type.isOneOf) {
      const [only, another] = Object.values(coerced);
      if (only == null || another !== undefined) throw unfit;
    }
    return coerced;
  };
}
