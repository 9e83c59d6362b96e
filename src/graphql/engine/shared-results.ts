import { type DocumentNode, type ExecutionResult, GraphQLError, getOperationAST, Kind, visit } from 'graphql';
import type { GraphContext } from '../context/context.ts';
import { contextFor, createReplay, type Seen } from '../context/event-context.ts';
import { classOf, noticing } from '../context/viewer-class.ts';
import { rootOf } from './root-field.ts';

/** Executes a subscription's document for one event. */
export type ExecuteEvent = (seen: Seen, context: GraphContext) => Promise<ExecutionResult>;

interface SharedAnswer {
  readonly result: Promise<ExecutionResult>;
  /** Whether the answer says which member of its class the viewer is. Known with the result. */
  readonly isPersonal: () => boolean;
  readonly userId: number;
  readonly until: number;
}

/** How long an answer is given to more watchers, milliseconds: it shows what the database said then. */
const shareMs = 1000;

/** Answers by event; for each by class of viewers, origin, document and variables. */
const answers = new WeakMap<object, Map<string, SharedAnswer>>();

function answersOf(event: object): Map<string, SharedAnswer> {
  const known = answers.get(event);
  if (known !== undefined) return known;
  const none = new Map<string, SharedAnswer>();
  answers.set(event, none);
  return none;
}

interface Asked {
  /** See `shapeOf`. */
  readonly shape: string;
  /** Whether the context depends on the request only by what the key of an answer names. */
  readonly mayShare: boolean;
  readonly execute: ExecuteEvent;
}

/**
 * Returns the function that computes the results of one subscription. Watchers of the same class who receive
 * the same event and sent the same document get one result, the same object. A result that depends on who the
 * viewer is goes only to that viewer.
 */
export function createAnswers(ctx: GraphContext, { shape, mayShare, execute }: Asked) {
  let replay: ReturnType<typeof createReplay> | undefined;

  function share(seen: Seen, of: Map<string, SharedAnswer>, key: string): SharedAnswer {
    let isPersonal = false;
    const viewer = noticing(seen.viewer, () => {
      isPersonal = true;
    });
    const answer = {
      result: execute(seen, contextFor(ctx, viewer)),
      isPersonal: () => isPersonal,
      userId: seen.viewer.userId,
      until: performance.now() + shareMs,
    };
    of.set(key, answer);
    return answer;
  }

  return async (seen: Seen): Promise<ExecutionResult> => {
    if (!mayShare) return execute(seen, contextFor(ctx, seen.viewer));
    if (seen.next !== undefined) {
      replay ??= createReplay(ctx);
      return execute(seen, replay(seen));
    }
    const key = `${classOf(seen.viewer)} ${ctx.origin} ${shape}`;
    const of = answersOf(seen.event);
    let answer = of.get(key);
    if (answer === undefined || answer.until < performance.now()) answer = share(seen, of, key);
    const result = await answer.result;
    if (!answer.isPersonal() || answer.userId === seen.viewer.userId) return result;
    return execute(seen, contextFor(ctx, seen.viewer));
  };
}

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
