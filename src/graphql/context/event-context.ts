import type { Viewer } from '../../platform/request-context.ts';
import { Slot } from '../../platform/slot.ts';
import type { TicketEvent, WatchedEvent } from '../../tickets/events/event.ts';
import { mayBeRedacted } from '../../tickets/events/last-redaction.ts';
import type { GraphContext } from './context.ts';
import { RecordingViewer } from './event-audience.ts';
import { Loaders } from './loaders.ts';

/** What the source of a subscription yields. */
export type { WatchedEvent };

/**
 * The context for one event's result: a copy of the subscription's context with this viewer and with new
 * loaders.
 * @param viewer with its current role and scopes
 */
export function contextFor(ctx: GraphContext, viewer: Viewer): GraphContext {
  const own: GraphContext = { ...ctx, viewer };
  own.load = new Loaders(own);
  return own;
}

/** How long rows are kept that were loaded for events to come, milliseconds. */
const keepMs = 1000;
/** Events whose rows are loaded together, at most: those of a page. */
const maxTogether = 100;

/**
 * The rows that some events show, for viewers who see the same of them. They are loaded when an answer needs
 * the first of them, for all the events at once and with the rights of one viewer.
 */
export class LoadedTogether {
  readonly #context: GraphContext;
  readonly #viewer: Viewer;
  readonly #loading: RecordingViewer;
  readonly #loadedAt = performance.now();
  #until = this.#loadedAt + keepMs;

  constructor(ctx: GraphContext, viewer: Viewer, events: readonly TicketEvent[]) {
    this.#viewer = viewer;
    this.#loading = new RecordingViewer(viewer);
    this.#context = contextFor(ctx, this.#loading);
    this.#context.load.expect(events);
  }

  /**
   * Begins an answer about one of the events, with a context and a viewer of its own. The answers share the
   * rows that were loaded. Bodies that were too long to be loaded with their messages are not shared.
   */
  begin(): AnswerInProgress {
    const viewer = new RecordingViewer(this.#viewer);
    const context = { ...this.#context, viewer, load: new Loaders(this.#context, this.#context.load) };
    return { context, viewer };
  }

  /**
   * Whether these rows may still be used: for one second after they were created, but not after `expire` was
   * called, or after this process has heard of a redaction.
   */
  get isFresh(): boolean {
    return performance.now() < this.#until && !mayBeRedacted(this.#loadedAt);
  }

  /** Makes `isFresh` false from now on. */
  expire(): void {
    this.#until = this.#loadedAt;
  }

  /**
   * Whether an answer may be sent to a viewer of the same audience: always to the user with whose rights it
   * was made; to others only if neither loading nor answering has read who that user is.
   * @param viewer the answer's, from `begin`
   */
  mayShow(to: Viewer, { wasRead }: RecordingViewer): boolean {
    return this.#viewer.userId === to.userId || !(wasRead || this.#loading.wasRead);
  }
}

/** An answer that is being made. */
export interface AnswerInProgress {
  readonly context: GraphContext;
  /** Whose rights it is made with. */
  readonly viewer: RecordingViewer;
}

const loaded = new Slot<TicketEvent, Map<string, LoadedTogether>>();

/**
 * The rows that results of an event are made from. Rows of up to 99 other events, which come next in its page
 * or were read by the same statement, are loaded with them, so that thousands of watchers need few
 * statements. The same object is returned for all of these events as long as it is fresh. Nothing is loaded
 * yet.
 * @param key names the viewers who see the same
 */
export function loadTogether(ctx: GraphContext, seen: WatchedEvent, key: string): LoadedTogether {
  const known = freshOf(seen.event, key);
  if (known !== undefined) return known;
  const events = nextOf(seen, key);
  const together = new LoadedTogether(ctx, seen.viewer, events);
  for (const event of events)
    (loaded.get(event) ?? loaded.set(event, new Map<string, LoadedTogether>())).set(key, together);
  return together;
}

function freshOf(event: TicketEvent, key: string): LoadedTogether | undefined {
  const known = loaded.get(event)?.get(key);
  return known?.isFresh ? known : undefined;
}

/** The event and those to load with it. All of them were read before now, so no row is too old for one. */
function nextOf({ event, page, at }: WatchedEvent, key: string): TicketEvent[] {
  const next = new Set(page.slice(at, at + maxTogether));
  const { readWith } = event;
  for (let n = readWith.indexOf(event) + 1; n < readWith.length && next.size < maxTogether; n += 1) {
    const other = readWith[n]!;
    if (freshOf(other, key) === undefined) next.add(other);
  }
  return [...next];
}
