import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../../tickets/context.ts';
import type { Loaders } from './loaders.ts';

/** What a resolver is given: the domain's context, and one cache a request. */
export interface GraphContext extends TicketContext {
  /** Whoever asks; a subscription asks again at each event, as a role or a scope may be lost meanwhile. */
  viewer: Viewer | undefined;
  /** One cache a request; a subscription has a fresh one for each event. */
  load: Loaders;
  /** Where a subscription stands. */
  readonly place: StreamPlace;
}

/** How far a subscription has come, for transports that can resume it: `Last-Event-ID` in, `id:` out. */
export interface StreamPlace {
  /**
   * The cursor after which the caller goes on; it goes before any argument, which a client repeats as it was.
   */
  readonly resumeAfter: string | undefined;
  /** The cursor of the event that is being told. */
  reached: string | undefined;
}
