import type { Viewer } from '../../platform/request-context.ts';
import type { SeenEvent, TicketEvent } from '../../tickets/events/event.ts';
import { mayBeRedacted } from '../../tickets/events/redactions.ts';
import type { GraphContext } from './context.ts';
import { noticingIdentity } from './event-audience.ts';
import { Loaders } from './loaders.ts';

/** What the source of a subscription yields. */
export type Seen = SeenEvent;

/** The context for one event's result: with the viewer's current permissions, and fresh loaders. */
export function contextFor(ctx: GraphContext, viewer: Viewer): GraphContext {
  const own: GraphContext = { ...ctx, viewer };
  own.load = new Loaders(own);
  return own;
}

/** How long rows are kept that were loaded for events to come, milliseconds. */
const keepMs = 1000;
/** Events whose rows are loaded together, at most. */
const maxTogether = 25;

/** What was loaded for some events, for viewers who see the same of them. */
export interface LoadedTogether {
  /** Begins an answer about one of the events. It has the rows that were loaded, and no more bodies. */
  readonly begin: () => Answering;
  readonly userId: number;
  /** Whether it may still be used: for a second, and not after a redaction. */
  readonly isFresh: () => boolean;
  /** Ends its use. */
  readonly expire: () => void;
}

/** An answer that is being made. */
export interface Answering {
  readonly context: GraphContext;
  /** Whether the answer, or what was loaded for it, has read who the viewer is. */
  readonly isPersonal: () => boolean;
}

const loaded = new WeakMap<object, Map<string, LoadedTogether>>();

/**
 * What results of an event are made from. What the events show that come next, in its page or to watchers of
 * other tickets, is loaded with the first of them, so that thousands of watchers need few statements.
 * @param key names the viewers who see the same
 */
export function loadTogether(ctx: GraphContext, seen: Seen, key: string): LoadedTogether {
  const known = freshOf(seen.event, key);
  if (known !== undefined) return known;
  const { viewer } = seen;
  const loading = noticed(viewer);
  const context = contextFor(ctx, loading.viewer);
  const loadedAt = performance.now();
  let until = loadedAt + keepMs;
  const together: LoadedTogether = {
    begin() {
      const own = noticed(viewer);
      return {
        context: { ...context, viewer: own.viewer, load: new Loaders(context, context.load) },
        isPersonal: () => own.isNoticed() || loading.isNoticed(),
      };
    },
    userId: viewer.userId,
    isFresh: () => performance.now() < until && !mayBeRedacted(loadedAt),
    expire() {
      until = loadedAt;
    },
  };
  const events = nextOf(seen, key);
  context.load.expect(events);
  for (const event of events) {
    const byKey = loaded.get(event) ?? new Map<string, LoadedTogether>();
    loaded.set(event, byKey.set(key, together));
  }
  return together;
}

/** A viewer, and whether somebody has read who it is. */
function noticed(viewer: Viewer) {
  let isNoticed = false;
  const noticing = noticingIdentity(viewer, () => {
    isNoticed = true;
  });
  return { viewer: noticing, isNoticed: () => isNoticed };
}

function freshOf(event: TicketEvent, key: string): LoadedTogether | undefined {
  const known = loaded.get(event)?.get(key);
  return known?.isFresh() ? known : undefined;
}

/** The event and those to load with it. All of them were read before now, so no row is too old for one. */
function nextOf({ event, page, at }: Seen, key: string): TicketEvent[] {
  const next = new Set(page.slice(at, at + maxTogether));
  const { readWith } = event;
  for (let n = readWith.indexOf(event) + 1; n < readWith.length && next.size < maxTogether; n += 1) {
    const other = readWith[n]!;
    if (freshOf(other, key) === undefined) next.add(other);
  }
  return [...next];
}
