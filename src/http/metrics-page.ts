import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Metrics } from '../observe/metrics.ts';
import { isDirect } from './caller-address.ts';
import { refuseMethod, sendText } from './respond.ts';
import type { Handle } from './server.ts';

/**
 * Creates the handler of GET and HEAD of /metrics, in Prometheus's text format, for programs on this machine
 * (see `isDirect`) and for callers that send METRICS_TOKEN as a bearer token. Others get 401, because the
 * metrics reveal how busy a desk is and which of its mails fail. Any other method gets 405.
 * @param token METRICS_TOKEN. Undefined: only programs on this machine get the metrics
 */
export function createMetricsPage(metrics: Metrics, token: string | undefined): Handle {
  const offers = bearerOf(token);
  return async (req, res) => {
    if (refuseMethod(req, res)) return;
    if (!isDirect(req) && !offers(req)) {
      const challenge = { 'WWW-Authenticate': 'Bearer realm="metrics"' };
      return sendText(res, 401, 'Send METRICS_TOKEN as a bearer token\n', challenge);
    }
    sendText(res, 200, await metrics.text(), { 'Content-Type': metrics.contentType });
  };
}

/** Compares digests, which have equal lengths, in constant time. */
function bearerOf(token: string | undefined): (req: IncomingMessage) => boolean {
  if (token === undefined) return () => false;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return ({ headers }) => {
    const offered = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    return offered !== undefined && timingSafeEqual(digest(offered), expected);
  };
}
