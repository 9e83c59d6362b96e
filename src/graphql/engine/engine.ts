import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { ResponseTooLarge } from '../../platform/errors.ts';
import type { GraphContext } from '../context/context.ts';
import type { WatchedEvent } from '../context/event-context.ts';
import { EventResultsStream } from '../context/event-results-stream.ts';
import { coerceVariables } from './coerce-variables.ts';
import { Documents, introspects } from './document-cache.ts';
import type { Plan } from './execution-state.ts';
import { ResponseBudget, weigh } from './response-budget.ts';
import { runPlan } from './run-plan.ts';
import { createEventResults, type ExecuteEvent, shapeOf } from './shared-event-results.ts';

/** How operations are executed. */
export interface EngineOptions {
  readonly schema: GraphQLSchema;
  /**
   * True in production: introspection requires a credential, and errors carry no "Did you mean" suggestions.
   */
  readonly closed: boolean;
  /** Maximum size of one response, as `ResponseBudget` counts it. */
  readonly responseBytes: number;
  /**
   * Whether watchers with the same rights may get one result for an event. Must be false when a plugin adds
   * something to their contexts.
   */
  readonly sharesEvents: boolean;
}

/** Maximum number of errors about variables in one answer. */
const maxCoercionErrors = 5;

/**
 * The engine as a plugin of Envelop: parses, validates and executes documents, by a plan or by graphql-js;
 * README.md says which. An operation that is too large, too complex or whose variables are invalid gets
 * errors and no data; nothing of it is executed. A response over `responseBytes` is replaced by the error
 * ANSWER_TOO_LARGE. A subscription's events are executed one by one, and their results are shared among
 * watchers if `sharesEvents`.
 */
export function useEngine(options: EngineOptions): Plugin<GraphContext> {
  const { schema, closed } = options;
  const documents = new Documents(schema, { hideSuggestions: closed });
  const executor = createExecutor(documents, options);
  const parse = documents.parse.bind(documents);
  const validate = documents.validate.bind(documents);
  return {
    onParse({ params: { source }, setParsedDocument, setParseFn }) {
      const known = documents.recall(String(source));
      if (known !== undefined) setParsedDocument(known);
      else setParseFn(parse);
    },
    onValidate({ params, context, setValidationFn, addValidationRule }) {
      const document = params.documentAST as DocumentNode;
      // There is no context when documents are checked at start-up.
      const isStranger = closed && context !== undefined && context.viewer === undefined;
      if (isStranger && (documents.known(document)?.introspects ?? introspects(document)))
        addValidationRule(NoSchemaIntrospectionCustomRule);
      setValidationFn(validate);
    },
    onExecute: ({ setExecuteFn }) => setExecuteFn(executor.execute),
    onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(executor.subscribe),
  };
}

const isMeant = ({ operation }: Plan, name: ExecutionArgs['operationName']): boolean =>
  name == null || name === operation.name?.value;

function createExecutor(documents: Documents, { closed, responseBytes, sharesEvents }: EngineOptions) {
  const coercion = { maxErrors: maxCoercionErrors, hideSuggestions: closed };

  /**
   * Errors of an operation whose variables do not fit or that asks for too much. Nothing has been executed.
   */
  function refuse({ schema, document, operationName, variableValues }: ExecutionArgs) {
    const operation = getOperationAST(document, operationName);
    if (!operation) return undefined;
    const { errors, coerced } = coerceVariables(
      schema,
      operation.variableDefinitions ?? [],
      variableValues ?? {},
      coercion,
    );
    if (errors !== undefined) return { errors };
    const limit = documents.known(document)?.limit ?? documents.limitOf(document, operation);
    const excess = limit(coerced);
    return excess && { errors: [excess] };
  }

  function executeOne(args: ExecutionArgs): ExecutionResult | Promise<ExecutionResult> {
    const { document, contextValue, operationName, variableValues } = args;
    const { plan, limit } = documents.known(document) ?? {};
    if (plan !== undefined && limit !== undefined && args.rootValue === undefined) {
      const budget = new ResponseBudget(responseBytes);
      if (isMeant(plan, operationName))
        return runPlan(plan, contextValue, variableValues ?? {}, { budget, coercion, limit });
    }
    return refuse(args) ?? executeByReference(args);
  }

  /** Executes the document for one event. Its variables and their complexity were checked when it began. */
  function executeEvent(args: ExecutionArgs): ExecuteEvent {
    const { document, operationName, variableValues } = args;
    const { plan } = documents.known(document) ?? {};
    if (plan === undefined || !isMeant(plan, operationName))
      return (rootValue, contextValue) => executeByReference({ ...args, rootValue, contextValue });
    const limit = () => undefined;
    return async (rootValue, context) => {
      const budget = new ResponseBudget(responseBytes);
      return runPlan(plan, context, variableValues ?? {}, { budget, coercion, limit, rootValue });
    };
  }

  async function executeByReference(args: ExecutionArgs): Promise<ExecutionResult> {
    const result = await execute({ ...args, hideSuggestions: closed, options: { maxCoercionErrors } });
    const budget = new ResponseBudget(responseBytes);
    if (result.errors?.some(({ originalError }) => originalError instanceof ResponseTooLarge))
      budget.exceed();
    weigh(result.data, budget);
    budget.noteLength(result.data);
    if (!budget.isOver) return result;
    return budget.refusal(getOperationAST(args.document, args.operationName)?.operation);
  }

  /**
   * Executes the document for each event within the size limit of a response. Watchers share results. The
   * stream of events is made by graphql-js.
   */
  async function subscribeToOne(args: ExecutionArgs) {
    const refused = refuse(args);
    if (refused !== undefined) return refused;
    const source = await createSourceEventStream({ ...args, hideSuggestions: closed });
    if (!(Symbol.asyncIterator in source)) return source;
    const context = args.contextValue as GraphContext;
    const shape = shapeOf(args.document, args.operationName, args.variableValues ?? {});
    const execute = executeEvent(args);
    const answer = createEventResults(context, { shape, mayShare: sharesEvents, execute });
    return new EventResultsStream(source as AsyncIterable<WatchedEvent>, context.place, answer);
  }

  return { execute: executeOne, subscribe: subscribeToOne };
}
