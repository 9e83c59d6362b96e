import { refuseMethod, sendJson } from './respond.ts';
import type { Handle } from './server.ts';

/**
 * The state of background work: `off` when it is switched off, `degraded` when it falls behind or a part of
 * it is down, `unknown` when its state could not be read.
 */
export type BackgroundState = 'ok' | 'off' | 'degraded' | 'unknown';

/** HAProxy asks by OPTIONS unless it is told another method. */
const methods = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Creates the handler of /health/live, which answers 200 while the event loop runs, and of /health/ready,
 * which answers 200 when the process can do its work, and 503 when a check fails or the process is draining;
 * other paths get 404, and methods other than GET, HEAD and OPTIONS 405. The body is JSON: `status` is
 * `live`, or `ready`, `degraded`, `not ready` or `draining`. For /health/ready it also has each check by its
 * name, as `ok` or `failing` without the reason, and each background state.
 * @param checks by name: functions that reject when something that the process needs is missing. They run at
 *   the same time, anew for each request. One that has not settled within two seconds counts as failed
 * @param background by name: functions that return the state of background work, which does not make the
 *   process unready. If one is `degraded`, the whole status is `degraded`, still with 200; `off` and
 *   `unknown` do not change it. They must not reject
 */
export function createHealth(
  checks: Readonly<Record<string, () => Promise<void>>>,
  isDraining: () => boolean,
  background: Readonly<Record<string, () => BackgroundState | Promise<BackgroundState>>> = {},
): Handle {
  return async (req, res, path) => {
    if (refuseMethod(req, res, methods)) return;
    if (path === '/health/live') return sendJson(res, 200, { status: 'live' });
    if (path !== '/health/ready') return sendJson(res, 404, { status: 'unknown' });
    const entries = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await outcome(check)] as const),
    );
    const beside = await Promise.all(
      Object.entries(background).map(async ([name, report]) => [name, await report()] as const),
    );
    const ready = !isDraining() && entries.every(([, result]) => result === 'ok');
    const usable = beside.some(([, goes]) => goes === 'degraded') ? 'degraded' : 'ready';
    sendJson(res, ready ? 200 : 503, {
      status: isDraining() ? 'draining' : ready ? usable : 'not ready',
      ...Object.fromEntries(entries),
      ...Object.fromEntries(beside),
    });
  };
}

/** Reports no reason: it is in the log, and a stranger learns only that something is missing. */
async function outcome(check: () => Promise<void>): Promise<'ok' | 'failing'> {
  try {
    await Promise.race([
      check(),
      new Promise((_resolve, reject) => setTimeout(reject, 2000, new Error('no answer')).unref()),
    ]);
    return 'ok';
  } catch {
    return 'failing';
  }
}
