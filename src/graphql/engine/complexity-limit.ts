import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  visit,
} from 'graphql';
import type { RawVariables } from './coerce-variables.ts';

/**
 * Limits of one operation, inclusive. Complexity: the sum of the fields' costs (1 unless the schema declares
 * another); what is below a list counts once for each row of the requested page, five times if the schema
 * does not declare the list's length, and ten times below a list of introspection. Depth: levels of fields.
 * Breadth: number of fields, with those of a fragment counted at each spread. They allow a page of 100
 * tickets with 20 messages each and all their fields, and reject the square of that. Introspection counts as
 * one field in depth and breadth.
 */
export const complexityLimit = { complexity: 120_000, depth: 15, breadth: 400 };

/**
 * Assumed length of a list whose field declares none. These are the lists of introspection: Pothos writes
 * that of `schema/builder.ts` to each field of our own.
 */
const introspectedListLength = 10;

/** Fields of the query type that it does not list. A document can ask for the whole schema by each alias. */
const introspectionFields = new Map(
  [SchemaMetaFieldDef, TypeMetaFieldDef].map((field) => [field.name, field]),
);

/** The cost that a field declares: the `complexity` option of Pothos, stored in the field's extensions. */
type Cost = number | { readonly field?: number; readonly multiplier?: number };
type CostOf = Cost | ((args: Record<string, unknown>, context: object, field: unknown) => Cost);
interface Total {
  readonly complexity: number;
  readonly depth: number;
  readonly breadth: number;
}

/**
 * Checks an operation with these coerced variables.
 * @returns the error DOCUMENT_TOO_COMPLEX when it requests too much, otherwise undefined
 */
export type ComplexityLimit = (variables: RawVariables) => GraphQLError | undefined;

/**
 * Prepares the check of one operation against `complexityLimit`. An operation whose cost does not depend on
 * variables is counted once, here.
 * @param document a valid one, which contains the operation
 */
export function limitComplexity(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): ComplexityLimit {
  const counter = new Counter(schema, document, operation);
  const { usesVariables, total } = counter.count({});
  if (usesVariables) return (variables) => excessOf(counter.count(variables).total);
  const excess = excessOf(total);
  return () => excess;
}

function excessOf(total: Total): GraphQLError | undefined {
  for (const kind of ['complexity', 'depth', 'breadth'] as const) {
    if (total[kind] <= complexityLimit[kind]) continue;
    return new GraphQLError(`The document asks for too much at once (${kind})`, {
      extensions: { code: 'DOCUMENT_TOO_COMPLEX' },
    });
  }
  return undefined;
}

class Counter {
  readonly #schema: GraphQLSchema;
  readonly #operation: OperationDefinitionNode;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  #variables: RawVariables = {};
  #usesVariables = false;
  /**
   * Each fragment is counted once per type, because a few lines of nested fragments could mean millions of
   * fields.
   */
  #known = new Map<SelectionSetNode, Map<GraphQLNamedType, Total>>();

  constructor(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) {
    this.#schema = schema;
    this.#operation = operation;
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        this.#fragments.set(definition.name.value, definition);
  }

  count(variables: RawVariables): { readonly total: Total; readonly usesVariables: boolean } {
    this.#variables = variables;
    this.#usesVariables = false;
    this.#known = new Map();
    const root = this.#schema.getRootType(this.#operation.operation)!;
    const total = this.#selection(this.#operation.selectionSet, root);
    return { total, usesVariables: this.#usesVariables };
  }

  #selection(set: SelectionSetNode, type: GraphQLNamedType): Total {
    const counted = this.#known.get(set)?.get(type);
    if (counted !== undefined) return counted;
    const total = { complexity: 0, depth: 0, breadth: 0 };
    for (const selection of set.selections) {
      const one =
        selection.kind === Kind.FIELD ? this.#field(selection, type) : this.#fragment(selection, type);
      total.complexity += one.complexity;
      total.breadth += one.breadth;
      total.depth = Math.max(total.depth, one.depth);
    }
    const byType = this.#known.get(set);
    if (byType === undefined) this.#known.set(set, new Map([[type, total]]));
    else byType.set(type, total);
    return total;
  }

  #fragment(
    selection: Exclude<SelectionSetNode['selections'][number], FieldNode>,
    type: GraphQLNamedType,
  ): Total {
    const fragment =
      selection.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(selection.name.value)! : selection;
    const condition = fragment.typeCondition?.name.value;
    return this.#selection(
      fragment.selectionSet,
      condition === undefined ? type : this.#schema.getType(condition)!,
    );
  }

  #field(node: FieldNode, type: GraphQLNamedType): Total {
    const { value: name } = node.name;
    const introspection = introspectionFields.get(name);
    const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : undefined;
    const field = introspection ?? fields?.[name];
    const { own, multiplier } = field === undefined ? { own: 1, multiplier: 1 } : this.#cost(field, node);
    if (field === undefined || node.selectionSet === undefined)
      return { complexity: own, depth: 1, breadth: 1 };
    const below = this.#selection(node.selectionSet, getNamedType(field.type));
    const complexity = own + multiplier * below.complexity;
    // Tools send one introspection query, deeper than any other. graphql-js has a rule about its depth.
    if (introspection !== undefined) return { complexity, depth: 1, breadth: 1 };
    return {
      complexity,
      depth: 1 + below.depth,
      breadth: 1 + below.breadth,
    };
  }

  #cost(field: GraphQLField<unknown, unknown>, node: FieldNode): { own: number; multiplier: number } {
    const costOf = field.extensions.complexity as CostOf | undefined;
    const cost = typeof costOf === 'function' ? this.#costByArguments(costOf, field, node) : costOf;
    const unsaid = isListType(getNullableType(field.type)) ? introspectedListLength : 1;
    if (typeof cost !== 'object') return { own: cost ?? 1, multiplier: unsaid };
    return { own: cost.field ?? 1, multiplier: Math.max(cost.multiplier ?? unsaid, 0) };
  }

  #costByArguments(
    costOf: Exclude<CostOf, Cost>,
    field: GraphQLField<unknown, unknown>,
    node: FieldNode,
  ): Cost {
    if (!this.#usesVariables && hasVariable(node)) this.#usesVariables = true;
    let args: Record<string, unknown>;
    try {
      args = getArgumentValues(field, node, this.#variables);
    } catch {
      // Invalid arguments make the field an error, so nothing below it is resolved.
      return { field: 1, multiplier: 0 };
    }
    return costOf(args, {}, field);
  }
}

function hasVariable({ arguments: args = [] }: FieldNode): boolean {
  let variables = 0;
  const Variable = () => {
    variables += 1;
  };
  for (const { value } of args) visit(value, { Variable });
  return variables > 0;
}
