import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNullableType,
  type InlineFragmentNode,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  type SelectionSetNode,
  TypeNameMetaFieldDef,
} from 'graphql';
import { leaf, list, nonNull, nullOr } from './complete-value.ts';
import { type Complete, LazyResolveInfo, type Plan, type PlannedField } from './execution-state.ts';
import { planArguments, planVariables } from './plan-input.ts';
import { isPromise, runFields } from './run-plan.ts';

/*
 * Works out once per document what graphql-js works out at each execution: which fields are selected of which
 * type, and how their values are completed. That is most of the CPU time of a long page. Rare features
 * (directives, introspection, input that does not fit) are left to graphql-js, and
 * test/graphql/engine/plan-document.test.ts compares the two. Compiling documents to JavaScript would be
 * slightly faster, but would make a client's text part of a program.
 */

/**
 * Maximum number of fields in a plan, counted for each possible type of an interface or union, because plans
 * are cached in memory.
 */
const mostFields = 500;

class NotPlanned extends Error {}

/**
 * The plan of a valid document. Undefined if graphql-js has to execute it: it has several operations,
 * directives in selections, introspection, more than 500 fields to plan, or what no plan supports. It may
 * also throw for such a document.
 */
export function planOf(schema: GraphQLSchema, document: DocumentNode): Plan | undefined {
  const operations: OperationDefinitionNode[] = [];
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  for (const definition of document.definitions) {
    if (definition.kind === 'OperationDefinition') operations.push(definition);
    if (definition.kind === 'FragmentDefinition') fragments[definition.name.value] = definition;
  }
  const [operation, another] = operations;
  if (operation === undefined || another !== undefined) return undefined;
  const variables = operation.variableDefinitions ?? [];
  // `__proto__` cannot be an ordinary member of an object.
  if (variables.some(({ variable }) => variable.name.value === '__proto__')) return undefined;
  try {
    const planner = new Planner(schema, fragments);
    const fields = planner.fieldsOf(schema.getRootType(operation.operation)!, [operation.selectionSet]);
    const coerce = planVariables(schema, variables);
    return { schema, operation, fragments, coerce, fields, size: planner.size };
  } catch (error) {
    if (error instanceof NotPlanned) return undefined;
    throw error;
  }
}

class Planner {
  readonly #schema: GraphQLSchema;
  readonly #fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  #planned = 0;

  constructor(schema: GraphQLSchema, fragments: Readonly<Record<string, FragmentDefinitionNode>>) {
    this.#schema = schema;
    this.#fragments = fragments;
  }

  /** Number of planned fields. */
  get size(): number {
    return this.#planned;
  }

  fieldsOf(type: GraphQLObjectType, selections: readonly SelectionSetNode[]): PlannedField[] {
    // None of our types has `isTypeOf`, so plans do not support it.
    if (type.isTypeOf != null) throw new NotPlanned();
    const found = new Map<string, FieldNode[]>();
    const spread = new Set<string>();
    for (const selection of selections) this.#collect(type, selection, found, spread);
    return [...found].map(([key, nodes]) => this.#field(type, key, nodes));
  }

  /** @param spread fragments that were collected already */
  #collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    found: Map<string, FieldNode[]>,
    spread: Set<string>,
  ): void {
    for (const selection of selections) {
      // Directives depend on variables, so the plan would, too.
      if (selection.directives !== undefined && selection.directives.length > 0) throw new NotPlanned();
      if (selection.kind === 'Field') {
        const key = (selection.alias ?? selection.name).value;
        const nodes = found.get(key);
        if (nodes === undefined) found.set(key, [selection]);
        else nodes.push(selection);
        continue;
      }
      let fragment: Pick<InlineFragmentNode, 'selectionSet' | 'typeCondition'>;
      if (selection.kind === 'InlineFragment') fragment = selection;
      else {
        const name = selection.name.value;
        if (spread.has(name)) continue;
        spread.add(name);
        fragment = this.#fragments[name]!;
      }
      if (this.#applies(type, fragment.typeCondition?.name.value))
        this.#collect(type, fragment.selectionSet, found, spread);
    }
  }

  #applies(type: GraphQLObjectType, condition: string | undefined): boolean {
    if (condition === undefined || condition === type.name) return true;
    const wanted = this.#schema.getType(condition);
    return isAbstractType(wanted) && this.#schema.isSubType(wanted, type);
  }

  #field(parentType: GraphQLObjectType, key: string, nodes: readonly FieldNode[]): PlannedField {
    this.#planned += 1;
    const name = nodes[0]!.name.value;
    const isTypename = name === TypeNameMetaFieldDef.name;
    const definition = isTypename ? TypeNameMetaFieldDef : parentType.getFields()[name];
    // Introspection fields have no definition here, and `__proto__` cannot be an ordinary member of the
    // answer.
    if (definition === undefined || key === '__proto__' || this.#planned > mostFields) throw new NotPlanned();
    return {
      key,
      typename: isTypename ? parentType.name : undefined,
      nodes,
      parentType,
      definition,
      argumentsOf: planArguments(definition, nodes[0]!),
      nullable: !isNonNullType(definition.type),
      isLeaf: isLeafType(getNullableType(definition.type)),
      complete: this.#completion(definition.type, nodes),
    };
  }

  #completion(type: GraphQLOutputType, nodes: readonly FieldNode[]): Complete {
    if (isNonNullType(type)) return nonNull(this.#completion(type.ofType, nodes));
    if (isListType(type)) return list(type.ofType, this.#completion(type.ofType, nodes));
    if (isLeafType(type)) return leaf(type);
    const selections = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    if (isObjectType(type)) {
      const fields = this.fieldsOf(type, selections);
      return nullOr((run, value, _field, path) => runFields(run, value, fields, path));
    }
    const { resolveType } = type;
    if (resolveType == null) throw new NotPlanned();
    const fieldsOf = new Map(
      this.#schema.getPossibleTypes(type).map((member) => [member.name, this.fieldsOf(member, selections)]),
    );
    const select = (name: unknown): readonly PlannedField[] => {
      const fields = fieldsOf.get(name as string);
      if (fields === undefined)
        throw new GraphQLError(`"${type.name}" has no member "${String(name)}"`, { nodes });
      return fields;
    };
    return nullOr((run, value, field, path) => {
      const name = resolveType(value, run.context, new LazyResolveInfo(run, field, path?.prev, path), type);
      return isPromise(name)
        ? name.then((settled) => runFields(run, value, select(settled), path))
        : runFields(run, value, select(name), path);
    });
  }
}
