import type { Viewer } from '../../platform/request-context.ts';
import type { SeenEvent } from '../../tickets/events/event.ts';
import type { GraphContext } from './context.ts';
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

/**
 * Creates the contexts of a watcher who is behind. What the following events show is loaded with the first of
 * them, so that a long replay needs few statements.
 */
export function createReplay(ctx: GraphContext): (seen: Seen) => GraphContext {
  let current: { readonly context: GraphContext; readonly until: number; readonly events: Set<object> };
  return ({ event, viewer, next = [] }) => {
    const now = performance.now();
    const goesOn =
      current !== undefined &&
      now < current.until &&
      current.events.has(event) &&
      current.context.viewer === viewer;
    if (goesOn) {
      current.context.load.beginAnswer();
    } else {
      const context = contextFor(ctx, viewer);
      context.load.expect(next);
      current = { context, until: now + keepMs, events: new Set(next) };
    }
    return current.context;
  };
}
