import type {
  ExecutionResult,
  FieldNode,
  GraphQLError,
  GraphQLField,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLResolveInfo,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import type { ArgumentsOf, CoerceVariables } from './plan-input.ts';
import type { ResponseBudget } from './response-budget.ts';

/** Position of a value in the answer. Undefined for the answer itself. */
export type Path = GraphQLResolveInfo['path'] | undefined;

/** Values by response key. */
export type ResultData = Record<string, unknown>;

/**
 * Completes a resolver's return value, as `CompleteValue` of the specification.
 * @returns the completed value, or a promise of it; null if the value is null
 * @throws what makes the field an error; a promise rejects with it
 */
export type Complete = (run: Run, value: unknown, field: PlannedField, path: Path) => unknown;

/** A selected field of an object type. */
export interface PlannedField {
  /** Response key: the alias, or the field's name. */
  readonly key: string;
  /** The type's name for `__typename`, which needs no resolver. */
  readonly typename: string | undefined;
  /** All selections of this response key. */
  readonly nodes: readonly FieldNode[];
  readonly parentType: GraphQLObjectType;
  readonly definition: GraphQLField<unknown, unknown>;
  readonly argumentsOf: ArgumentsOf;
  /** Whether its value may be null. */
  readonly nullable: boolean;
  /** Whether its value is a scalar or an enum. Then nothing needs the path, unless it fails. */
  readonly isLeaf: boolean;
  /** Completes the resolver's return value. */
  readonly complete: Complete;
}

/** The plan of an operation. */
export interface Plan {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: GraphQLResolveInfo['fragments'];
  /** Coerces the operation's variables. */
  readonly coerce: CoerceVariables;
  /** Number of planned fields, over all possible types of each interface and union. */
  readonly size: number;
  /** The selected fields of the root type. */
  readonly fields: readonly PlannedField[];
}

/** One execution of a plan: its inputs, and the errors so far. */
export class Run {
  readonly plan: Plan;
  readonly context: unknown;
  readonly variables: Record<string, unknown>;
  readonly budget: ResponseBudget;
  readonly rootValue: unknown;
  readonly errors: GraphQLError[] = [];
  // Created with the first error: most answers have none.
  #nulled: Set<Path> | undefined;

  /** @param variables already coerced */
  constructor(
    plan: Plan,
    context: unknown,
    variables: Record<string, unknown>,
    { budget, rootValue }: { readonly budget: ResponseBudget; readonly rootValue?: unknown },
  ) {
    this.plan = plan;
    this.context = context;
    this.variables = variables;
    this.budget = budget;
    this.rootValue = rootValue;
  }

  /**
   * Records an error and that the value at `path` is null. An error at or below a value that is already null
   * is dropped, because its path is not in the answer.
   * @param path undefined: the whole answer
   */
  add(error: GraphQLError, path: Path): void {
    this.#nulled ??= new Set();
    for (let at = path; at !== undefined; at = at.prev) if (this.#nulled.has(at)) return;
    if (this.#nulled.has(undefined)) return;
    this.#nulled.add(path);
    this.errors.push(error);
  }

  /**
   * Makes the result: `data`, and the errors if there are any. An answer over the limit is replaced by the
   * error ANSWER_TOO_LARGE with `data: null`.
   */
  answer(data: ResultData | null): ExecutionResult {
    if (this.budget.isOver) return this.budget.refusal(this.plan.operation.operation);
    this.budget.noteLength(data);
    return this.errors.length === 0 ? { data } : { errors: this.errors, data };
  }
}

/** The position of a field's value. */
export const pathOf = ({ key, parentType }: PlannedField, parent: Path): NonNullable<Path> => ({
  prev: parent,
  key,
  typename: parentType.name,
});

/**
 * The `info` argument of a resolver. Few resolvers read it, so its members are made when they are read: a
 * page has hundreds. They are getters, so a copy made with `...` has none of them.
 */
export class LazyResolveInfo implements GraphQLResolveInfo {
  readonly #run: Run;
  readonly #field: PlannedField;
  readonly #parent: Path;
  #path: Path;

  /**
   * @param parent the path of the object that has the field
   * @param path the field's own, if it is made already
   */
  constructor(run: Run, field: PlannedField, parent: Path, path?: Path) {
    this.#run = run;
    this.#field = field;
    this.#parent = parent;
    this.#path = path;
  }

  get fieldName(): string {
    return this.#field.definition.name;
  }
  get fieldNodes(): PlannedField['nodes'] {
    return this.#field.nodes;
  }
  get returnType(): GraphQLOutputType {
    return this.#field.definition.type;
  }
  get parentType(): GraphQLObjectType {
    return this.#field.parentType;
  }
  get path(): NonNullable<Path> {
    this.#path ??= pathOf(this.#field, this.#parent);
    return this.#path;
  }
  get schema(): GraphQLResolveInfo['schema'] {
    return this.#run.plan.schema;
  }
  get fragments(): GraphQLResolveInfo['fragments'] {
    return this.#run.plan.fragments;
  }
  get rootValue(): unknown {
    return this.#run.rootValue;
  }
  get operation(): GraphQLResolveInfo['operation'] {
    return this.#run.plan.operation;
  }
  get variableValues(): Run['variables'] {
    return this.#run.variables;
  }
}
