import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '../../platform/errors.ts';
import { decodeGlobalId } from '../../platform/global-id.ts';
import { writeHead } from '../../platform/http/send-response.ts';
import type { TicketContext } from '../../tickets/context.ts';
import { openRawMail } from '../../tickets/deliveries/raw-mail.ts';
import { dispositionOf } from '../content-disposition.ts';
import { decodeSegment } from '../request-target.ts';
import { passwordChallenge, refuseMethod, sendText, withoutRead } from '../respond.ts';
import { sendBody, signalOfLeaving } from './send-body.ts';

/**
 * Handles GET and HEAD of /deliveries/{id}/source: sends the mail as it was sent, or may have been sent,
 * without blind copies, to operators with the scope `read`. A request without a credential gets 401, a
 * credential without that scope 403. Requesters, and requests for a mail that does not exist or was not sent
 * yet, get 404. Any other method gets 405. Faults are thrown.
 * @param path what follows `/deliveries/`: `{id}/source`
 */
export async function answerSource(
  ctx: TicketContext,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
): Promise<void> {
  if (refuseMethod(req, res)) return;
  const [globalId, what] = path.split('/');
  const deliveryId = what === 'source' ? decodeGlobalId('Delivery', decodeSegment(globalId!)) : undefined;
  if (ctx.viewer === undefined)
    return sendText(res, 401, 'Sign in to download\n', { 'WWW-Authenticate': passwordChallenge });
  if (!ctx.viewer.scopes.has('read')) return sendText(res, 403, withoutRead);
  const source =
    deliveryId === undefined
      ? undefined
      : await openRawMail(ctx, { deliveryId, signal: signalOfLeaving(res) }).catch((error) => {
          if (error instanceof Refusal) return undefined;
          throw error;
        });
  if (source === undefined) return sendText(res, 404, 'Not found\n');
  writeHead(res, 200, {
    'Content-Type': 'message/rfc822',
    'Content-Length': source.byteSize,
    'Content-Disposition': dispositionOf(`delivery-${deliveryId}.eml`),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'private, no-store',
  });
  if (req.method === 'GET') return sendBody(source.stream, res, source.byteSize, ctx.log);
  source.stream.destroy();
  res.end();
}
