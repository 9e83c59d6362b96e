import type { Viewer } from '../context.ts';
import type { DeskContext } from '../tickets/desk.ts';
import type { Loaders } from './loaders.ts';

/** What a resolver is given: the domain's context, and one cache a request. */
export interface GraphContext extends DeskContext {
  /** Whoever asks; a subscription asks again at each event, as a role or a scope may be lost meanwhile. */
  viewer: Viewer | undefined;
  /** One cache a request; a subscription has a fresh one for each event. */
  load: Loaders;
  /** The document is known to ask for less than the limits, whatever its variables are. */
  readonly modest?: boolean;
}
