import {
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  GraphQLError,
  getOperationAST,
  locatedError,
} from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';
import { inSpan, type Span } from '../../observe/tracing.ts';
import { noteErrors, noteOperation } from '../../platform/request-notes.ts';
import type { TicketContext } from '../../tickets/context.ts';
import type { GraphContext, StreamPlace } from '../context/context.ts';
import { Loaders } from '../context/loaders.ts';
import { mapStream } from '../context/map-stream.ts';
import { findRootField } from '../engine/find-root-field.ts';
import { isPromise } from '../engine/run-plan.ts';
import type { createEnveloped } from './create-enveloped.ts';
import { safeError } from './safe-errors.ts';

type OperationResult = ExecutionResult | AsyncIterable<ExecutionResult>;

/** A valid operation that has not been executed yet. */
export interface Operation {
  readonly kind: 'query' | 'mutation' | 'subscription';
  /** How far a subscription has got. */
  readonly place: StreamPlace;
  /**
   * Executes the operation; to be called once. Returns one result, or a stream of results for a subscription
   * (one result if it cannot begin). Errors of the execution, and of the variables, are in the result: safe
   * to show, and each with a code. A stream whose source fails ends with a result that has the error.
   */
  run(): OperationResult | Promise<OperationResult>;
}

/** Nothing of an operation was executed, for these errors. Each has a code in its extensions. */
export class OperationRefused extends Error {
  readonly errors: readonly GraphQLError[];
  constructor(errors: readonly GraphQLError[]) {
    super(errors[0]?.message ?? '');
    this.errors = errors;
  }
}

/** The parameters of a well-formed request. */
export type OperationParams = Pick<GraphQLParams, 'operationName' | 'variables'> & { readonly query: string };
/**
 * Parses and validates a document and selects its operation, whose type and name it records in the request's
 * notes. Nothing is executed, and the variables are not checked yet.
 * @param resumeAfter cursor after which a subscription continues
 * @throws OperationRefused GRAPHQL_PARSE_FAILED, DOCUMENT_TOO_LARGE, GRAPHQL_VALIDATION_FAILED (also for
 *   introspection in production without a credential), or OPERATION_RESOLUTION_FAILURE: no operation has the
 *   name, or none was named and the document has several. A plugin's errors keep their codes.
 *   DOCUMENT_TOO_COMPLEX is not among them: it is an error of the result of `run`
 */
export type PrepareOperation = (
  asked: OperationParams,
  ctx: TicketContext,
  resumeAfter?: string,
) => Operation;

/**
 * Creates the function that prepares operations: it parses, validates and selects one, and creates its
 * context, with new loaders. All operations take this path, and Yoga's plugins see each step.
 */
export function createPrepare({ getEnveloped }: ReturnType<typeof createEnveloped>): PrepareOperation {
  return ({ query, variables, operationName }, ctx, resumeAfter) => {
    const place: StreamPlace = { resumeAfter, reached: undefined };
    const context: GraphContext = { ...ctx, load: new Loaders(ctx), place };
    const enveloped = getEnveloped(context);
    const document = parsed(enveloped.parse, query);
    const errors: readonly GraphQLError[] = enveloped.validate(enveloped.schema, document);
    if (errors.length > 0) throw new OperationRefused(withCode(errors, 'GRAPHQL_VALIDATION_FAILED'));
    const operation = getOperationAST(document, operationName);
    if (!operation) throw new OperationRefused([noOperation(operationName)]);
    const kind = operation.operation;
    noteOperation(ctx.notes, kind, operation.name?.value);
    const shown = (result: OperationResult) =>
      Symbol.asyncIterator in result
        ? withLastError(result, findRootField(document, operation), context)
        : asShown(result, context, kind === 'mutation' ? findRootField(document, operation) : undefined);
    return {
      kind,
      place,
      run() {
        const execute = (contextValue: unknown) => {
          const args = {
            schema: enveloped.schema,
            document,
            contextValue,
            variableValues: variables,
            operationName,
          };
          return kind === 'subscription' ? enveloped.subscribe(args) : enveloped.execute(args);
        };
        const result = inSpan(
          () => spanOf(kind, ctx.notes.operation!),
          () => whenReady(enveloped.contextFactory(), execute),
        );
        return whenReady(result, shown);
      },
    };
  };
}

const spanOf = (kind: Operation['kind'], name: string): Span => ({
  name: `${kind} ${name}`,
  attributes: { 'graphql.operation.type': kind, 'graphql.operation.name': name },
});

/**
 * Calls a function with a value, at once unless the value is a promise. `await` takes time even for a plain
 * value, and most operations would have two.
 */
const whenReady = <T, R>(value: T | Promise<T>, use: (value: T) => R | Promise<R>): R | Promise<R> =>
  isPromise(value) ? (value as Promise<T>).then(use) : use(value);

/**
 * The stream of results. When its source fails, the last result has the error, at the subscription's field.
 */
function withLastError(
  results: AsyncIterable<ExecutionResult>,
  root: FieldNode,
  ctx: GraphContext,
): AsyncIterable<ExecutionResult> {
  return mapStream(
    results,
    (result) => asShown(result, ctx),
    (error) => asShown({ errors: [locatedError(error, root, [keyOf(root)])] }, ctx),
  );
}

/** A result whose errors a caller may see. Each has a code, which the request's log line contains. */
function asShown(result: ExecutionResult, ctx: GraphContext, command?: FieldNode): ExecutionResult {
  if (result.errors === undefined) return result;
  const { requestId, log } = ctx;
  const firstCommand = command && keyOf(command);
  const safe = result.errors.map((error) => safeError(error, { requestId, log, firstCommand }));
  // Errors of graphql-js without a code are about the input.
  const errors = withCode(safe, 'BAD_USER_INPUT');
  noteErrors(ctx.notes, errors);
  return { ...result, errors };
}

const keyOf = ({ alias, name }: FieldNode): string => (alias ?? name).value;

function parsed(parse: (text: string) => DocumentNode, query: string): DocumentNode {
  try {
    return parse(query);
  } catch (error) {
    if (error instanceof GraphQLError) throw new OperationRefused(withCode([error], 'GRAPHQL_PARSE_FAILED'));
    throw error;
  }
}

const noOperation = (name: string | null | undefined): GraphQLError =>
  new GraphQLError(
    name == null
      ? 'The document must have one operation, or the request must name one'
      : `There is no operation "${name}"`,
    { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } },
  );

const withCode = (errors: readonly GraphQLError[], code: string): GraphQLError[] =>
  errors.map((error) =>
    typeof error.extensions.code === 'string'
      ? error
      : new GraphQLError(error.message, {
          nodes: error.nodes ?? null,
          source: error.source ?? null,
          positions: error.positions ?? null,
          path: error.path ?? null,
          extensions: { ...error.extensions, code },
        }),
  );
