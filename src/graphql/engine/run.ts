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

/** Where a value stands in the answer; undefined: the answer itself. */
export type Path = GraphQLResolveInfo['path'] | undefined;

export type Answer = Record<string, unknown>;

/**
 * Completes what a resolver returned, as `CompleteValue` of the specification. @throws what makes the field
 * an error
 */
export type Complete = (run: Run, value: unknown, field: PlannedField, path: Path) => unknown;

export interface PlannedField {
  /** Its name in the answer. */
  readonly key: string;
  /** The answer of `__typename`, which needs no resolver. */
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
  /** Fields in it, with those of every type that a value may be. */
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

  /** An error below what has become null already is not told: its place is not in the answer. */
  add(error: GraphQLError, path: Path): void {
    for (let at = path; at !== undefined; at = at.prev) if (this.#nulled.has(at)) return;
    if (this.#nulled.has(undefined)) return;
    this.#nulled.add(path);
    this.errors.push(error);
  }

  answer(data: Answer | null): ExecutionResult {
    if (this.budget.isOver) return this.budget.refusal(this.plan.operation.operation);
    this.budget.noteLength(data);
    return this.errors.length === 0 ? { data } : { errors: this.errors, data };
  }
}
