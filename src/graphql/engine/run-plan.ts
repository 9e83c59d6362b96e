import {
  defaultFieldResolver,
  type ExecutionResult,
  type GraphQLError,
  locatedError,
  responsePathAsArray,
} from 'graphql';
import { ResponseTooLarge } from '../../platform/errors.ts';
import { type CoercionOptions, coerceVariables } from './coerce-variables.ts';
import type { ComplexityLimit } from './complexity-limit.ts';
import {
  type Complete,
  LazyResolveInfo,
  type Path,
  type Plan,
  type PlannedField,
  pathOf,
  type ResultData,
  Run,
} from './execution-state.ts';
import { ResponseBudget } from './response-budget.ts';

/** Limits of one execution, and the object of which its root fields are read. */
export interface RunOptions {
  readonly budget: ResponseBudget;
  readonly limit: ComplexityLimit;
  readonly coercion: CoercionOptions;
  /** A subscription's event. */
  readonly rootValue?: unknown;
}

const unbounded: RunOptions = {
  budget: new ResponseBudget(Infinity),
  limit: () => undefined,
  coercion: { maxErrors: 50, hideSuggestions: false },
};

/**
 * Executes a plan. The root fields of a mutation run one after the other.
 * @param variables as the client sent them
 * @param options without them, nothing is limited
 * @returns the same as `execute` of graphql-js, as a promise only if a resolver's value is pending; it
 *   neither throws nor rejects. When the variables are invalid or request too much, there is no `data`, and
 *   nothing was executed. A response over the budget is replaced by the error ANSWER_TOO_LARGE
 */
export function runPlan(
  plan: Plan,
  context: unknown,
  variables: Readonly<Record<string, unknown>> = {},
  { budget, limit, coercion, rootValue }: RunOptions = unbounded,
): ExecutionResult | Promise<ExecutionResult> {
  const { operation, schema, fields } = plan;
  let coerced = plan.coerce(variables);
  if (coerced === undefined) {
    const result = coerceVariables(schema, operation.variableDefinitions ?? [], variables, coercion);
    if (result.errors !== undefined) return { errors: result.errors };
    coerced = result.coerced;
  }
  const excess = limit(coerced);
  if (excess !== undefined) return { errors: [excess] };
  const run = new Run(plan, context, coerced, { budget, rootValue });
  const answered = (data: ResultData) => run.answer(data);
  const failed = (error: unknown) => {
    run.add(error as GraphQLError, undefined);
    return run.answer(null);
  };
  try {
    const data =
      operation.operation === 'mutation'
        ? runSerially(run, fields)
        : runFields(run, rootValue, fields, undefined);
    return isPromise(data) ? data.then(answered, failed) : answered(data);
  } catch (error) {
    return failed(error);
  }
}

async function runSerially(run: Run, fields: readonly PlannedField[]): Promise<ResultData> {
  const answer: ResultData = {};
  for (const field of fields) answer[field.key] = await runField(run, run.rootValue, field, undefined);
  return answer;
}

/**
 * Executes the selected fields of an object. When the budget is exceeded, the fields that are left are null
 * and are not executed.
 * @returns values by response key, in the order of `fields`; a promise if a field is pending
 * @throws the error of a field that may not be null; a promise rejects with it
 */
export function runFields(
  run: Run,
  source: unknown,
  fields: readonly PlannedField[],
  path: Path,
): ResultData | Promise<ResultData> {
  const answer: ResultData = {};
  let pending: Promise<void>[] | undefined;
  try {
    for (const field of fields) {
      const { key } = field;
      // An answer that is too large is discarded, but the document's remaining mutations are still executed.
      const value = run.budget.isOver ? null : runField(run, source, field, path);
      // Set even while pending, so that fields are in the order of the selection.
      answer[key] = value;
      if (!isPromise(value)) continue;
      pending ??= [];
      pending.push(
        value.then((settled) => {
          answer[key] = settled;
        }),
      );
    }
  } catch (error) {
    if (pending === undefined) throw error;
    return rejectAfterAll(pending, error);
  }
  return pending === undefined ? answer : Promise.all(pending).then(() => answer);
}

/**
 * Rejects with an error once the sibling fields that have begun are done, or one of them has failed too. All
 * of their rejections are handled: an unhandled one would end the process.
 * @param begun values, and promises of those that are pending
 */
export async function rejectAfterAll(begun: readonly unknown[], error: unknown): Promise<never> {
  await Promise.all(begun).catch(() => {});
  throw error;
}

function runField(run: Run, source: unknown, field: PlannedField, parent: Path): unknown {
  run.budget.spendName(field.key);
  if (field.typename !== undefined) return field.typename;
  if (field.isLeaf) return runLeaf(run, source, field, parent);
  const path = pathOf(field, parent);
  let value: unknown;
  try {
    value = resolve(run, source, field, parent, path);
  } catch (error) {
    return failed(run, error, field, field.nullable, path);
  }
  return completed(run, value, field.complete, field, field.nullable, path);
}

/** The same for a scalar or an enum, whose path is made only if it is needed: a page has hundreds. */
function runLeaf(run: Run, source: unknown, field: PlannedField, parent: Path): unknown {
  let value: unknown;
  try {
    value = resolve(run, source, field, parent);
    if (!isPromise(value)) return field.complete(run, value, field, undefined);
  } catch (error) {
    return failed(run, error, field, field.nullable, pathOf(field, parent));
  }
  return completed(run, value, field.complete, field, field.nullable, pathOf(field, parent));
}

function resolve(run: Run, source: unknown, field: PlannedField, parent: Path, path?: Path): unknown {
  const { definition } = field;
  if (definition.resolve === undefined && typeof source === 'object' && source !== null) {
    const value = (source as Record<string, unknown>)[definition.name];
    if (typeof value !== 'function') return value;
  }
  const args = field.argumentsOf(run.variables);
  const info = new LazyResolveInfo(run, field, parent, path);
  return (definition.resolve ?? defaultFieldResolver)(source, args, run.context, info);
}

/**
 * Completes a field's value or a list's item: now, or when the promise that a resolver returned settles.
 * @param nullable whether a failure is recorded in the run and becomes null
 * @returns the completed value, or a promise of it
 * @throws the failure, with its path, if it is not nullable; a promise rejects with it
 */
export function completed(
  run: Run,
  value: unknown,
  complete: Complete,
  field: PlannedField,
  nullable: boolean,
  path: NonNullable<Path>,
): unknown {
  try {
    const done = isPromise(value)
      ? value.then((settled) => complete(run, settled, field, path))
      : complete(run, value, field, path);
    return isPromise(done)
      ? done.then(undefined, (error) => failed(run, error, field, nullable, path))
      : done;
  } catch (error) {
    return failed(run, error, field, nullable, path);
  }
}

/** @throws the error when null is not allowed, so that the parent fails with it */
function failed(
  run: Run,
  error: unknown,
  { nodes }: PlannedField,
  nullable: boolean,
  path: NonNullable<Path>,
): null {
  if (error instanceof ResponseTooLarge) run.budget.exceed();
  // One refusal replaces all errors of such an answer, because locating thousands of errors takes long.
  if (run.budget.isOver) {
    if (!nullable) throw error;
    return null;
  }
  const located = locatedError(error, nodes, responsePathAsArray(path));
  if (!nullable) throw located;
  run.add(located, path);
  return null;
}

/** Whether a value has a method `then`. */
export const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
