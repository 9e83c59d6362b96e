import type { DeskContext } from '../tickets/desk.ts';
import type { Loaders } from './loaders.ts';

/** What a resolver is given: the domain's context, and one cache a request. */
export interface GraphContext extends DeskContext {
  readonly load: Loaders;
}
