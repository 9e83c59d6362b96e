import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../../tickets/context.ts';
import type { Loaders } from './loaders.ts';

/** The context that every resolver gets: the domain's context, and the loaders of this request. */
export interface GraphContext extends TicketContext {
  /**
   * The signed-in user; undefined without a credential. For each event of a subscription, resolvers get a
   * context with the user's current role and scopes, because these may be revoked meanwhile.
   */
  viewer: Viewer | undefined;
  /** Loads and caches rows for one request. Each event of a subscription has loaders of its own. */
  load: Loaders;
  /** The position of a subscription. Other operations have one that is not used. */
  readonly place: StreamPlace;
}

/** The position of a subscription, for transports that can resume it: `Last-Event-ID` in, `id:` out. */
export interface StreamPlace {
  /**
   * The cursor to resume after, as the client sent it; undefined if it sent none. It overrides the argument
   * `after`, which a client repeats unchanged when it reconnects.
   */
  readonly resumeAfter: string | undefined;
  /**
   * The cursor of the event that was sent last or is being sent. Before the first one, the cursor at which
   * the stream began if the client did not choose it, and else undefined.
   */
  reached: string | undefined;
}
