import type { Watching } from '../../events/feeds.ts';
import { BadCredential, Refusal } from '../../platform/errors.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../context.ts';
import { assertScope, isOperator } from '../policy.ts';
import type { SeenEvent, TicketEvent } from './event.ts';

/** Events whose rows a watcher who is behind may load together. */
const maxAhead = 25;

/** What a watcher needs. */
export interface WatcherPorts<E extends TicketEvent, P> {
  readonly watching: Watching<P, E>;
  /** Position after which it starts. */
  readonly from: P;
  /**
   * What the refusal says when the watcher is no operator any more: `see …`. Undefined if requesters may
   * watch as well.
   */
  readonly forOperators: string | undefined;
  /** Filters the events. */
  readonly isWanted?: (event: E) => boolean;
}

/**
 * Yields a feed's events as they come, without gaps or repetitions, until the caller disconnects.
 * @throws Refusal UNAUTHENTICATED or FORBIDDEN once the credential, the scope `read` or the role is lost
 */
export async function* tellEvents<E extends TicketEvent, P>(
  ctx: TicketContext,
  { watching, from, forOperators, isWanted = () => true }: WatcherPorts<E, P>,
): AsyncGenerator<SeenEvent> {
  const began = ctx.now().getTime();
  let place = from;
  for (;;) {
    const page = await watching.next(place);
    if (page === undefined) return;
    const wanted = page.events.filter(isWanted);
    for (const [n, event] of wanted.entries()) {
      // The page may be old: a slow caller takes the next event only after receiving the last one.
      const viewer = await viewerNow(ctx, forOperators);
      const written = event.createdAt.getTime();
      if (written > began) ctx.services.eventTold((ctx.now().getTime() - written) / 1000);
      yield { event, viewer, next: page.isShared ? undefined : wanted.slice(n, n + maxAhead) };
    }
    place = page.reached;
  }
}

/**
 * Authenticates the caller again, and checks that they may still watch. @throws Refusal UNAUTHENTICATED,
 * FORBIDDEN
 */
async function viewerNow(ctx: TicketContext, forOperators: string | undefined): Promise<Viewer> {
  const viewer = await ctx.signInAgain().catch((error) => {
    if (error instanceof BadCredential) return undefined;
    throw error;
  });
  if (viewer === undefined) throw new Refusal('UNAUTHENTICATED', 'The credential is no longer valid');
  assertScope(viewer, 'read');
  if (forOperators !== undefined && !isOperator(viewer)) throw new Refusal('FORBIDDEN', forOperators);
  return viewer;
}
