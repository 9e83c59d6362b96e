import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
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
import { planVariables } from './plan-input.ts';
import {
  afterAll,
  type Complete,
  failed,
  guarded,
  infoOf,
  isPromise,
  type Path,
  type Plan,
  type PlannedField,
  type Run,
  runFields,
} from './run-plan.ts';

/*
 * What graphql-js finds out anew at each execution, found out once for a document: which fields are selected of which type, and how
 * their values are completed. Most of what a long page costs goes there. What is rare (directives, introspection, input that does not
 * fit) is left to graphql-js, and test/graphql/plan.test.ts holds the two against each other. Compiling documents to
 * JavaScript would be a little faster; but then what a client sends becomes part of a program.
 */

/** Fields of a plan at most, counted in each type that an interface or a union may be: a plan is kept in memory. */
const mostFields = 500;

class NotPlanned extends Error {}

/** The plan of a valid document with one query or mutation; undefined: graphql-js executes it. */
export function planOf(schema: GraphQLSchema, document: DocumentNode): Plan | undefined {
  const operations: OperationDefinitionNode[] = [];
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  for (const definition of document.definitions) {
    if (definition.kind === 'OperationDefinition') operations.push(definition);
    if (definition.kind === 'FragmentDefinition') fragments[definition.name.value] = definition;
  }
  const [operation, another] = operations;
  if (operation === undefined || another !== undefined || operation.operation === 'subscription')
    return undefined;
  try {
    const planner = new Planner(schema, fragments);
    const fields = planner.fieldsOf(schema.getRootType(operation.operation)!, [operation.selectionSet]);
    // An object has no such member of its own, as for an answer's key.
    if (operation.variableDefinitions?.some(({ variable }) => variable.name.value === '__proto__'))
      return undefined;
    const coerce = planVariables(schema, operation.variableDefinitions ?? []);
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

  /** Fields that were planned. */
  get size(): number {
    return this.#planned;
  }

  fieldsOf(type: GraphQLObjectType, selections: readonly SelectionSetNode[]): PlannedField[] {
    const found = new Map<string, FieldNode[]>();
    const spread = new Set<string>();
    for (const selection of selections) this.#collect(type, selection, found, spread);
    return [...found].map(([key, nodes]) => this.#field(type, key, nodes));
  }

  /** @param spread fragments that were spread already: their fields are there */
  #collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    found: Map<string, FieldNode[]>,
    spread: Set<string>,
  ): void {
    for (const selection of selections) {
      // They depend on variables, and so would the plan.
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
    // Introspection has no definition here; and an answer's object has no such member of its own.
    if (definition === undefined || key === '__proto__' || this.#planned > mostFields) throw new NotPlanned();
    return {
      key,
      typename: isTypename ? parentType.name : undefined,
      nodes,
      parentType,
      definition,
      nullable: !isNonNullType(definition.type),
      complete: this.#completion(definition.type, nodes),
    };
  }

  #completion(type: GraphQLOutputType, nodes: readonly FieldNode[]): Complete {
    if (isNonNullType(type)) return nonNull(this.#completion(type.ofType, nodes));
    if (isListType(type)) return list(type.ofType, this.#completion(type.ofType, nodes));
    if (isLeafType(type)) {
      return nullOr((_run, value) => {
        const leaf = type.serialize(value);
        if (leaf == null) throw new Error(`A value of ${type.name} cannot be shown`);
        return leaf;
      });
    }
    const selections = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    if (isObjectType(type)) {
      if (type.isTypeOf != null) throw new NotPlanned();
      const fields = this.fieldsOf(type, selections);
      return nullOr((run, value, _field, path) => runFields(run, value, fields, path));
    }
    const { resolveType } = type;
    if (resolveType == null) throw new NotPlanned();
    const fieldsOf = new Map(
      this.#schema
        .getPossibleTypes(type)
        .map(({ name }) => [name, this.fieldsOf(this.#objectType(name), selections)]),
    );
    const select = (name: unknown): readonly PlannedField[] => {
      const fields = fieldsOf.get(name as string);
      if (fields === undefined)
        throw new GraphQLError(`"${type.name}" has no member "${String(name)}"`, { nodes });
      return fields;
    };
    return nullOr((run, value, field, path) => {
      const name = resolveType(value, run.context, infoOf(run, field, path!), type);
      return isPromise(name)
        ? name.then((settled) => runFields(run, value, select(settled), path))
        : runFields(run, value, select(name), path);
    });
  }

  #objectType(name: string): GraphQLObjectType {
    const type = this.#schema.getType(name) as GraphQLObjectType;
    if (type.isTypeOf != null) throw new NotPlanned();
    return type;
  }
}

/** An error that was returned is as good as thrown. */
const nullOr =
  (complete: Complete): Complete =>
  (run, value, field, path) => {
    if (value == null) return null;
    if (value instanceof Error) throw value;
    return complete(run, value, field, path);
  };

const nonNull =
  (complete: Complete): Complete =>
  (run, value, field, path) => {
    const completed = complete(run, value, field, path);
    if (completed === null) {
      const { parentType, definition } = field;
      throw new Error(`Cannot return null for non-nullable field ${parentType.name}.${definition.name}.`);
    }
    return completed;
  };

function list(itemType: GraphQLOutputType, complete: Complete): Complete {
  const nullable = !isNonNullType(itemType);
  return nullOr((run, value, field, path) => {
    if (!isIterable(value)) {
      const { parentType, definition } = field;
      throw new GraphQLError(
        `Expected Iterable, but did not find one for field "${parentType.name}.${definition.name}".`,
      );
    }
    const items: unknown[] = [];
    let pending = false;
    let error: { readonly of: unknown } | undefined;
    for (const item of value) {
      let completed = item;
      if (error === undefined) {
        try {
          const at = { prev: path, key: items.length, typename: undefined };
          completed = completeItem(run, item, complete, field, nullable, at);
        } catch (of) {
          error = { of };
        }
      }
      items.push(completed);
      pending ||= isPromise(completed);
    }
    if (error !== undefined) {
      if (pending) return afterAll(items, error.of);
      throw error.of;
    }
    return pending ? Promise.all(items) : items;
  });
}

function completeItem(
  run: Run,
  item: unknown,
  complete: Complete,
  field: PlannedField,
  nullable: boolean,
  path: NonNullable<Path>,
): unknown {
  try {
    const completed = isPromise(item)
      ? item.then((settled) => complete(run, settled, field, path))
      : complete(run, item, field, path);
    return guarded(run, completed, field, nullable, path);
  } catch (error) {
    return failed(run, error, field, nullable, path);
  }
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function';
