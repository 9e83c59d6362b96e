import type { Viewer } from '../../platform/request-context.ts';

/**
 * Names the audience that a viewer belongs to: all operators with the same scopes, or one requester with
 * these scopes. For viewers of one audience, an event's result is the same, unless it depends on who the
 * viewer is.
 */
export function audienceOf(viewer: Viewer): string {
  let name = audiences.get(viewer);
  if (name === undefined) {
    const who = viewer.role === 'OPERATOR' ? '' : viewer.userId;
    name = `${viewer.role} ${who} ${[...viewer.scopes].sort().join(' ')}`;
    audiences.set(viewer, name);
  }
  return name;
}
/** A credential's viewer is one object as long as the credential is cached. */
const audiences = new WeakMap<Viewer, string>();

/**
 * A copy of the viewer that calls `notice` when its id, login or name is read: the members of an audience
 * differ only in these.
 */
export const noticingIdentity = (viewer: Viewer, notice: () => void): Viewer => ({
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
