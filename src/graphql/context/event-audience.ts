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
 * A copy of a viewer that records when its id, login or name is read: the members of an audience differ only
 * in these. Reading its role or scopes is not recorded. A class, because an object with accessors of its own
 * takes several times as much memory.
 */
export class RecordingViewer implements Viewer {
  readonly #viewer: Viewer;
  readonly role: Viewer['role'];
  readonly scopes: Viewer['scopes'];
  /** Whether the id, login or name was read from this copy. */
  wasRead = false;

  constructor(viewer: Viewer) {
    this.#viewer = viewer;
    this.role = viewer.role;
    this.scopes = viewer.scopes;
  }

  get userId(): number {
    this.wasRead = true;
    return this.#viewer.userId;
  }
  get login(): string {
    this.wasRead = true;
    return this.#viewer.login;
  }
  get name(): string {
    this.wasRead = true;
    return this.#viewer.name;
  }
}
