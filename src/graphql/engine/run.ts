import type {
  ExecutionResult,
  FieldNode,
  GraphQLError,
  GraphQLField,
  GraphQLObjectType,
  GraphQLResolveInfo,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import type { AnswerBudget } from './answer-budget.ts';
import type { ArgumentsOf, CoerceVariables } from './plan-input.ts';

/** Position of a value in the answer. Undefined for the answer itself. */
export type Path = GraphQLResolveInfo['path'] | undefined;

export type ResultData = Record<string, unknown>;

/**
 * Completes a resolver's return value, as `CompleteValue` of the specification.
 * @throws what makes the field an error
 */
export type Complete = (run: Run, value: unknown, field: PlannedField, path: Path) => unknown;

export interface PlannedField {
  /** Response key: the alias, or the field's name. */
  readonly key: string;
  /** The type's name for `__typename`, which needs no resolver. */
  readonly typename: string | undefined;
  readonly nodes: readonly FieldNode[];
  readonly parentType: GraphQLObjectType;
  readonly definition: GraphQLField<unknown, unknown>;
  readonly argumentsOf: ArgumentsOf;
  readonly nullable: boolean;
  readonly complete: Complete;
}

export interface Plan {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: GraphQLResolveInfo['fragments'];
  readonly coerce: CoerceVariables;
  /** Number of planned fields, over all possible types of each interface and union. */
  readonly size: number;
  readonly fields: readonly PlannedField[];
}

/** One execution of a plan. */
export class Run {
  readonly plan: Plan;
  readonly context: unknown;
  readonly variables: Record<string, unknown>;
  readonly budget: AnswerBudget;
  readonly errors: GraphQLError[] = [];
  readonly #nulled = new Set<Path>();

  constructor(plan: Plan, context: unknown, variables: Record<string, unknown>, budget: AnswerBudget) {
    this.plan = plan;
    this.context = context;
    this.variables = variables;
    this.budget = budget;
  }

  /** Drops an error below a value that is already null, as its path is not in the answer. */
  add(error: GraphQLError, path: Path): void {
    for (let at = path; at !== undefined; at = at.prev) if (this.#nulled.has(at)) return;
    if (this.#nulled.has(undefined)) return;
    this.#nulled.add(path);
    this.errors.push(error);
  }

  answer(data: ResultData | null): ExecutionResult {
    if (this.budget.isOver) return this.budget.refusal(this.plan.operation.operation);
    this.budget.noteLength(data);
    return this.errors.length === 0 ? { data } : { errors: this.errors, data };
  }
}
