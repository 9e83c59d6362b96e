import { type DocumentNode, type ExecutionResult, GraphQLError, getOperationAST, Kind, visit } from 'graphql';
import { asUnavailable } from '../../platform/database-faults.ts';
import { Unavailable } from '../../platform/errors.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { GraphContext } from '../context/context.ts';
import { audienceOf } from '../context/event-audience.ts';
import { contextFor, type LoadedTogether, loadTogether, type Seen } from '../context/event-context.ts';
import { rootOf } from './root-field.ts';

/** Executes a subscription's document for one event. */
export type ExecuteEvent = (seen: Seen, context: GraphContext) => Promise<ExecutionResult>;

interface SharedResult {
  /** The promise until it is settled. */
  result: ExecutionResult | Promise<ExecutionResult>;
  /** It is shared no longer than these rows are kept. Whether it is personal is known with the result. */
  readonly from: LoadedTogether;
}

/** Results by event; for each by audience (see `audienceOf`), origin and shape. */
const shared = new WeakMap<object, Map<string, SharedResult>>();

function resultsOf(event: object): Map<string, SharedResult> {
  const known = shared.get(event);
  if (known !== undefined) return known;
  const none = new Map<string, SharedResult>();
  shared.set(event, none);
  return none;
}

interface Asked {
  /** See `shapeOf`. */
  readonly shape: string;
  /**
   * False when a result may depend on something of the request that the audience, the origin and the shape
   * do not contain, such as what a plugin adds to the context. Each event is then executed by itself.
   */
  readonly mayShare: boolean;
  readonly execute: ExecuteEvent;
}

/**
 * Returns the function that computes the results of one subscription. Viewers with the same rights (see
 * `audienceOf`), origin and shape get one result, the same object, for an event that they receive within one
 * second of each other. Not shared is a result that depends on who the viewer is.
 */
export function createEventResults(ctx: GraphContext, { shape, mayShare, execute }: Asked) {
  let sharedBy: { readonly viewer: Viewer; readonly key: string } | undefined;

  /** Names the results that a viewer shares. Made again when a viewer has changed. */
  function keyFor(viewer: Viewer): string {
    if (sharedBy?.viewer !== viewer)
      sharedBy = { viewer, key: `${audienceOf(viewer)} ${ctx.origin} ${shape}` };
    return sharedBy.key;
  }

  function share(seen: Seen, of: Map<string, SharedResult>, key: string): SharedResult {
    const from = loadTogether(ctx, seen, key);
    const result: SharedResult = { result: execute(seen, from.context), from };
    of.set(key, result);
    void Promise.resolve(result.result).then(
      (settled) => {
        result.result = settled;
        // Whoever reconnects is not given the fault once more.
        if (temporaryFaultOf(settled) !== undefined) from.until = 0;
      },
      () => {},
    );
    return result;
  }

  /** The result for one of the viewers who share it. One that is personal is shared by its user alone. */
  function resultFor(seen: Seen, key: string): ExecutionResult | Promise<ExecutionResult> {
    const of = resultsOf(seen.event);
    let known = of.get(key);
    if (known === undefined || known.from.until < performance.now()) known = share(seen, of, key);
    const { result, from } = known;
    const { userId } = seen.viewer;
    const shown = (settled: ExecutionResult) =>
      !from.isPersonal() || from.userId === userId ? settled : resultFor(seen, `${key} of ${userId}`);
    return result instanceof Promise ? result.then(shown) : shown(result);
  }

  return (seen: Seen): ExecutionResult | Promise<ExecutionResult> =>
    mayShare ? resultFor(seen, keyFor(seen.viewer)) : execute(seen, contextFor(ctx, seen.viewer));
}

/** The fault of a database that did not answer for a moment, by which a result lacks something. */
export const temporaryFaultOf = ({ errors }: ExecutionResult): Unavailable | undefined =>
  errors
    ?.map(({ originalError }) => asUnavailable(originalError))
    .find((fault): fault is Unavailable => fault instanceof Unavailable);

/** Numbers of documents. A document is parsed once as long as it is cached. */
const documents = new WeakMap<DocumentNode, number>();
let lastDocument = 0;

/**
 * Identifies what an event's result depends on besides the event and the viewer: the document, the operation,
 * and the variables that are used below the root field. The root field's own arguments only select the
 * events.
 */
export function shapeOf(
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>>,
): string {
  const number = documents.get(document) ?? ++lastDocument;
  documents.set(document, number);
  const used = [...variablesBelowRoot(document, operationName)].map((name) => [name, variables[name]]);
  return JSON.stringify([number, operationName, used]);
}

function variablesBelowRoot(document: DocumentNode, operationName: string | null | undefined): Set<string> {
  const operation = getOperationAST(document, operationName);
  if (!operation) throw new GraphQLError('There is no such operation');
  const root = rootOf(document, operation);
  const found = new Set<string>();
  visit(document, {
    [Kind.VARIABLE_DEFINITION]: () => false,
    [Kind.ARGUMENT]: (node) => (root.arguments?.includes(node) ? false : undefined),
    [Kind.VARIABLE]: ({ name }) => void found.add(name.value),
  });
  return found;
}
