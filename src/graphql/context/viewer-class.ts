import type { Viewer } from '../../platform/request-context.ts';

/**
 * Names the class of viewers that a viewer belongs to: each requester is one, and so are all operators with
 * the same scopes. Results of one document are the same within a class, unless they depend on who the viewer
 * is.
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

/**
 * A copy of the viewer that calls `notice` when its id, login or name is read, which tell members of a class
 * apart.
 */
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
