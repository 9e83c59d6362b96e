import { type DocumentNode, type ExecutionResult, GraphQLError, getOperationAST, Kind, visit } from 'graphql';
import type { Viewer } from '../../platform/request-context.ts';
import { Slot } from '../../platform/slot.ts';
import type { GraphContext } from '../context/context.ts';
import { audienceOf, type RecordingViewer } from '../context/event-audience.ts';
import {
  contextFor,
  type LoadedTogether,
  loadTogether,
  type WatchedEvent,
} from '../context/event-context.ts';
import { type AnswerEvent, type ResultReceiver, temporaryFaultOf } from '../context/event-results-stream.ts';
import { findRootField } from './find-root-field.ts';

/** Executes a subscription's document for one event, with a context whose viewer the result is made for. */
export type ExecuteEvent = (seen: WatchedEvent, context: GraphContext) => Promise<ExecutionResult>;

/** A stream that waits for a result. There may be thousands, so it holds no promise. */
interface Waiting {
  readonly seen: WatchedEvent;
  readonly receiver: ResultReceiver;
}

interface SharedResult {
  /** Undefined until it is there. */
  result: ExecutionResult | undefined;
  /** Undefined as soon as it is there. */
  waiting: Waiting[] | undefined;
  /** It is shared no longer than these rows are kept. */
  readonly from: LoadedTogether;
  /** Whose rights it is made with. Once it is there, it is known whether it depends on who they are. */
  readonly viewer: RecordingViewer;
}

/** Names viewers who see the same, and the result that they share. */
interface SharedBy {
  readonly viewer: Viewer;
  /** The audience and the origin: what is loaded for an event does not depend on the document. */
  readonly rows: string;
  readonly result: string;
}

/** Askers who are answered in one turn of the event loop, at most: other requests get theirs in between. */
const perTurn = 200;

function inTurns<T>(all: readonly T[], call: (one: T) => void, from = 0): void {
  const end = Math.min(all.length, from + perTurn);
  for (let at = from; at < end; at += 1) call(all[at]!);
  if (end < all.length) setImmediate(inTurns, all, call, end);
}

/** Results by event; for each by audience (see `audienceOf`), origin and shape. */
const shared = new Slot<object, Map<string, SharedResult>>();

const resultsOf = (event: object): Map<string, SharedResult> =>
  shared.get(event) ?? shared.set(event, new Map());

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
 * `audienceOf`), origin and shape get one result, the same object, for an event: within one second after its
 * rows began to be loaded, and not after a redaction that this process knows of. A result for which the
 * viewer's id, login or name was read is shared among the streams of that user only. A result with a
 * temporary fault of the database goes to those who wait for it, and is then not kept.
 * @param ctx the subscription's context
 * @param asked `shape`: see `shapeOf`. `mayShare`: false if a plugin adds to the context; then each event is
 *   executed for this subscription alone
 */
export function createEventResults(ctx: GraphContext, { shape, mayShare, execute }: Asked): AnswerEvent {
  let sharedBy: SharedBy | undefined;

  /** Made again when a viewer has changed. */
  function sharedWith(viewer: Viewer): SharedBy {
    if (sharedBy?.viewer !== viewer) sharedBy = named(viewer, `${audienceOf(viewer)} ${ctx.origin}`);
    return sharedBy;
  }
  const named = (viewer: Viewer, rows: string): SharedBy => ({ viewer, rows, result: `${rows} ${shape}` });

  function share(seen: WatchedEvent, by: SharedBy): SharedResult {
    const from = loadTogether(ctx, seen, by.rows);
    const { context, viewer } = from.begin();
    const shared: SharedResult = { result: undefined, waiting: [], from, viewer };
    const answer = (call: (waiting: Waiting) => void) => {
      const waiting = shared.waiting!;
      shared.waiting = undefined;
      inTurns(waiting, call);
    };
    execute(seen, context).then(
      (settled) => {
        shared.result = settled;
        // A watcher that reconnects must not get this fault again.
        if (temporaryFaultOf(settled) !== undefined) from.expire();
        answer(({ seen, receiver }) => show(seen, receiver, by, shared));
      },
      (error) => {
        from.expire();
        answer(({ receiver }) => receiver.fail(error));
      },
    );
    return shared;
  }

  /** Shows a finished result. A personal one is shared only among the streams of its user. */
  function show(
    seen: WatchedEvent,
    receiver: ResultReceiver,
    by: SharedBy,
    { result, from, viewer }: SharedResult,
  ): void {
    if (from.mayShow(seen.viewer, viewer)) return receiver.show(result!);
    answerBy(named(seen.viewer, `${by.rows} of ${seen.viewer.userId}`), seen, receiver);
  }

  function answerBy(by: SharedBy, seen: WatchedEvent, receiver: ResultReceiver): void {
    const of = resultsOf(seen.event);
    let known = of.get(by.result);
    if (known === undefined || !known.from.isFresh) {
      known = share(seen, by);
      of.set(by.result, known);
    }
    if (known.result !== undefined) show(seen, receiver, by, known);
    else known.waiting!.push({ seen, receiver });
  }

  return (seen, receiver) => {
    if (mayShare) return answerBy(sharedWith(seen.viewer), seen, receiver);
    const fail = (error: unknown) => receiver.fail(error);
    execute(seen, contextFor(ctx, seen.viewer)).then((result) => receiver.show(result), fail);
  };
}

/** Numbers of documents. A document is parsed once as long as it is cached. */
const documents = new WeakMap<DocumentNode, number>();
let lastDocument = 0;

/**
 * Identifies what an event's result depends on besides the event and the viewer: the document (as an object),
 * the operation, and the variables that are used below the root field. The root field's own arguments only
 * select the events.
 * @throws GraphQLError when the document has no such operation
 */
export function shapeOf(
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>>,
): string {
  const number = documents.get(document) ?? ++lastDocument;
  documents.set(document, number);
  // One that is left out has its default, which a null does not.
  const used = [...variablesBelowRoot(document, operationName)].map((name) =>
    Object.hasOwn(variables, name) ? [name, variables[name]] : [name],
  );
  return JSON.stringify([number, operationName, used]);
}

function variablesBelowRoot(document: DocumentNode, operationName: string | null | undefined): Set<string> {
  const operation = getOperationAST(document, operationName);
  if (!operation) throw new GraphQLError('There is no such operation');
  const root = findRootField(document, operation);
  const found = new Set<string>();
  visit(document, {
    [Kind.VARIABLE_DEFINITION]: () => false,
    [Kind.ARGUMENT]: (node) => (root.arguments?.includes(node) ? false : undefined),
    [Kind.VARIABLE]: ({ name }) => void found.add(name.value),
  });
  return found;
}
