import type { Viewer } from '../../platform/request-context.ts';
import type { SeenEvent } from '../../tickets/events/event.ts';
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

/** What was loaded for some events of a page, for viewers who see the same of them. */
export interface LoadedTogether {
  readonly context: GraphContext;
  readonly userId: number;
  /** When it may no longer be used. */
  until: number;
  /** Whether something has read who the viewer is. */
  readonly isPersonal: () => boolean;
}

const loaded = new WeakMap<object, Map<string, LoadedTogether>>();

/**
 * The context for the results of an event and of the later ones in its page. What they all show is loaded
 * with the first, so that thousands of watchers who are behind need few statements.
 * @param key names the viewers who see the same
 */
export function loadTogether(ctx: GraphContext, { page, at, viewer }: Seen, key: string): LoadedTogether {
  const known = loaded.get(page[at]!)?.get(key);
  if (known !== undefined && performance.now() < known.until) {
    known.context.load.beginAnswer();
    return known;
  }
  let isPersonal = false;
  const noticing = noticingIdentity(viewer, () => {
    isPersonal = true;
  });
  const context = contextFor(ctx, noticing);
  const until = performance.now() + keepMs;
  const together: LoadedTogether = { context, userId: viewer.userId, until, isPersonal: () => isPersonal };
  if (at + 1 === page.length) return together;
  const next = page.slice(at, at + maxTogether);
  context.load.expect(next);
  for (const event of next) {
    const byKey = loaded.get(event) ?? new Map<string, LoadedTogether>();
    loaded.set(event, byKey.set(key, together));
  }
  return together;
}
