import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../../tickets/context.ts';
import type { Loaders } from './loaders.ts';

/** The context that every resolver gets: the domain's context, and the loaders of this request. */
export interface GraphContext extends TicketContext {
  /**
   * The signed-in user. A subscription updates it at each event, as a role or scope may be revoked meanwhile.
   */
  viewer: Viewer | undefined;
  /** One cache for each request. A subscription has a fresh one for each event. */
  load: Loaders;
  /** The position of a subscription. */
  readonly place: StreamPlace;
}

/** The position of a subscription, for transports that can resume it: `Last-Event-ID` in, `id:` out. */
export interface StreamPlace {
  /**
   * The cursor to resume after. It overrides the argument, which a client repeats unchanged when it
   * reconnects.
   */
  readonly resumeAfter: string | undefined;
  /** The cursor of the event that is being sent. */
  reached: string | undefined;
}
