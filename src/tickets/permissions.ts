import { Refusal } from '../platform/errors.ts';
import type { RequestContext, Scope, Viewer } from '../platform/request-context.ts';
import type { NewMessage } from './add-message/input.ts';
import { refuse } from './refusals-by-command.ts';

/**
 * Returns the signed-in viewer. Without `scope`, it checks only the sign-in: a caller that passes none must
 * check the scope itself (`assertScope`, `whyNotRead`, `whyNotWrite`), unless the operation needs none.
 * @throws Refusal UNAUTHENTICATED without a sign-in; FORBIDDEN when the credential lacks the scope
 */
export function requireViewer(ctx: RequestContext, scope?: Scope): Viewer {
  if (ctx.viewer === undefined) throw refuse(new Refusal('UNAUTHENTICATED', 'Sign in to do this'));
  if (scope !== undefined) assertScope(ctx.viewer, scope);
  return ctx.viewer;
}

/**
 * Returns the signed-in viewer if they are an operator with the scope.
 * @param may what only operators may do, for the refusal's text: `see deliveries`
 * @throws Refusal UNAUTHENTICATED without a sign-in; FORBIDDEN for a requester, and when the credential lacks
 *   the scope
 */
export function requireOperator(ctx: RequestContext, may: string, scope: Scope): Viewer {
  const viewer = requireViewer(ctx);
  assertOperator(viewer, may);
  assertScope(viewer, scope);
  return viewer;
}

/**
 * Does nothing for an operator.
 * @param may what only operators may do, for the refusal's text: `see deliveries`
 * @param path of the input that the refusal is about; empty for the whole input
 * @throws Refusal FORBIDDEN for a requester
 */
export function assertOperator(viewer: Viewer, may: string, path: readonly string[] = []): void {
  if (!isOperator(viewer)) throw refuse(onlyOperators(may, path));
}

/** @throws Refusal FORBIDDEN when the viewer's credential lacks the scope */
export function assertScope(viewer: Viewer, scope: Scope): void {
  if (!viewer.scopes.has(scope)) throw refuse(lacks(scope));
}

/**
 * The refusal FORBIDDEN for a viewer without the scope `read`, or undefined. For rows that were read, not for
 * those that the viewer's own command has just written: its result shows these without the scope.
 */
export const whyNotRead = (viewer: Viewer): Refusal<'FORBIDDEN'> | undefined =>
  viewer.scopes.has('read') ? undefined : lacks('read');

const lacks = (scope: Scope, path: readonly string[] = []): Refusal<'FORBIDDEN'> =>
  new Refusal('FORBIDDEN', `This credential does not have the scope "${scope}"`, undefined, path);

const onlyOperators = (may: string, path: readonly string[] = []): Refusal<'FORBIDDEN'> =>
  new Refusal('FORBIDDEN', `Only operators may ${may}`, undefined, path);

/** Whether the viewer is an operator, who sees all tickets. */
export const isOperator = (viewer: Viewer): boolean => viewer.role === 'OPERATOR';

/**
 * The refusal for a viewer whose role or scopes do not allow this message, or undefined. Every message needs
 * the scope `write`. Only operators may write private messages, send e-mails and reopen tickets. An e-mail
 * also needs the scope `mail`; `ifLastMessage` and a quotation need `read`. Neither the ticket nor the
 * mailbox is checked.
 */
export function whyNotWrite(
  viewer: Viewer,
  {
    visibility,
    email,
    reopen,
    ifLastMessage,
  }: Pick<NewMessage, 'visibility' | 'email' | 'reopen' | 'ifLastMessage'>,
): Refusal<'FORBIDDEN'> | undefined {
  const { scopes } = viewer;
  if (!scopes.has('write')) return lacks('write');
  if (visibility === 'PRIVATE' && !isOperator(viewer))
    return onlyOperators('write private messages', ['visibility']);
  if (email != null && !isOperator(viewer)) return onlyOperators('send a message as an e-mail', ['email']);
  if (reopen && !isOperator(viewer)) return onlyOperators('reopen tickets', ['reopen']);
  if (email != null && !scopes.has('mail')) return lacks('mail', ['email']);
  // Both show messages of the ticket: `ifLastMessage` in its refusal, and the quotation to every address in
  // Cc.
  if (ifLastMessage != null && !scopes.has('read')) return lacks('read', ['ifLastMessage']);
  if (email != null && email.quote !== 'NONE' && !scopes.has('read'))
    return lacks('read', ['email', 'quote']);
  return undefined;
}
