import type { Viewer } from '../../platform/request-context.ts';

/**
 * A class of viewers, as a text: a requester alone, and all operators with the same scopes. Answers to one
 * document are the same within a class, unless they say who the viewer is.
 */
export function classOf(viewer: Viewer): string {
  let name = classes.get(viewer);
  if (name === undefined) {
    const who = viewer.role === 'OPERATOR' ? '' : viewer.userId;
    name = `${viewer.role} ${who} ${[...viewer.scopes].sort().join(' ')}`;
    classes.set(viewer, name);
  }
  return name;
}
/** A credential's viewer is one object as long as the credential is cached. */
const classes = new WeakMap<Viewer, string>();

/** The viewer, and a call when something asks which member of its class this is. */
export const noticing = (viewer: Viewer, notice: () => void): Viewer => ({
  role: viewer.role,
  scopes: viewer.scopes,
  get userId() {
    notice();
    return viewer.userId;
  },
  get login() {
    notice();
    return viewer.login;
  },
  get name() {
    notice();
    return viewer.name;
  },
});
