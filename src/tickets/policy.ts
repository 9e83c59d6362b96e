import type { RequestContext, Scope, Viewer } from '../context.ts';
import { Refusal } from '../errors.ts';

/**
 * Whoever asks. What a command hands back may be looked at with the command's own scope, so looking up by id asks for none.
 * @throws Refusal UNAUTHENTICATED when nobody is signed in; FORBIDDEN when the credential's scopes do not reach.
 */
export function requireViewer(ctx: RequestContext, scope?: Scope): Viewer {
  if (ctx.viewer === undefined) throw new Refusal('UNAUTHENTICATED', 'Sign in to do this');
  if (scope !== undefined) assertScope(ctx.viewer, scope);
  return ctx.viewer;
}

export function assertScope(viewer: Viewer, scope: Scope): void {
  if (!viewer.scopes.has(scope))
    throw new Refusal('FORBIDDEN', `This credential does not have the scope "${scope}"`);
}

export const isOperator = (viewer: Viewer): boolean => viewer.role === 'OPERATOR';

/** Why the viewer may not write such a message, or undefined. */
export function whyNotWrite(
  viewer: Viewer,
  message: { visibility: string; email: boolean },
): Refusal | undefined {
  if (!viewer.scopes.has('write'))
    return new Refusal('FORBIDDEN', 'This credential does not have the scope "write"');
  if (message.visibility === 'PRIVATE' && !isOperator(viewer)) {
    return new Refusal('FORBIDDEN', 'Only operators may write private messages', undefined, ['visibility']);
  }
  if (message.email && !isOperator(viewer)) {
    return new Refusal('FORBIDDEN', 'Only operators may send a message as an e-mail', undefined, ['email']);
  }
  if (message.email && !viewer.scopes.has('mail')) {
    return new Refusal('FORBIDDEN', 'This credential does not have the scope "mail"', undefined, ['email']);
  }
  return undefined;
}
