import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { differences, type Recorded, type ReplayedAnswer } from '../../legacy/recorder/differences.ts';

const timeoutMs = 60_000;

/** Where recorded calls are sent to, and how. */
export interface Target {
  readonly url: URL;
  /** Sent with every call that has no Authorization of its own. */
  readonly authorization: string | undefined;
  /** Host to call by, when the recording's answers repeat it. */
  readonly host: string | undefined;
}

export interface Outcome {
  readonly name: string;
  readonly answered: boolean;
  /** A line each. */
  readonly differences: readonly string[];
}

export async function tryCall(call: Recorded, target: Target): Promise<Outcome> {
  const { name } = call;
  try {
    return { name, answered: true, differences: differences(call.expect, await send(call, target)) };
  } catch (error) {
    return {
      name,
      answered: false,
      differences: [`no answer: ${(error as Error).message || String(error)}`],
    };
  }
}

function send(call: Recorded, { url, authorization, host }: Target): Promise<ReplayedAnswer> {
  const framing = call.chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': call.body.length };
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: call.method,
      // As it was written: a URL would be tidied up, and `//api` would be a host.
      path: url.pathname.replace(/\/$/, '') + call.path,
      headers: {
        ...(authorization === undefined || call.anonymous ? {} : { Authorization: authorization }),
        ...(host === undefined ? {} : { Host: host }),
        ...call.headers,
        ...framing,
      },
      timeout: timeoutMs,
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`nothing for ${timeoutMs / 1000} s`)));
    outgoing.on('error', reject).on('response', (response) => {
      const { statusCode: status, headers } = response;
      buffer(response).then((body) => resolve({ status: status!, headers, body }), reject);
    });
    outgoing.end(call.body);
  });
}
