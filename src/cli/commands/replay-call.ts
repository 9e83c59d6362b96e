import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { differences, type Recorded, type ReplayedAnswer } from '../../legacy/recorder/compare-responses.ts';

const timeoutMs = 60_000;

/** Where and how recorded calls are sent. */
export interface ReplayTarget {
  /** The gateway, by `http:` or `https:`. A path of the URL precedes that of each call. */
  readonly url: URL;
  /** The `Authorization` header of calls that were recorded without one and are not `anonymous`. */
  readonly authorization: string | undefined;
  /** The `Host` header of calls that were recorded without one; undefined: that of `url`. */
  readonly host: string | undefined;
}

/** The result of one call. */
export interface ReplayOutcome {
  /** The call's name in the recording. */
  readonly name: string;
  /** Whether the gateway sent a whole response. */
  readonly answered: boolean;
  /** One line per difference; empty when the responses agree. */
  readonly differences: readonly string[];
}

/**
 * Sends one recorded call and compares the response with the recorded one. The call is real: it writes what
 * it asks for. Never rejects: without a whole response, or when no data moves for 60 s, `differences` says
 * why.
 */
export async function replayCall(call: Recorded, target: ReplayTarget): Promise<ReplayOutcome> {
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

function send(call: Recorded, { url, authorization, host }: ReplayTarget): Promise<ReplayedAnswer> {
  const framing = call.chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': call.body.length };
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: call.method,
      // Unchanged: `URL` would normalise the path, and read `//api` as a host.
      path: url.pathname.replace(/\/$/, '') + call.path,
      headers: {
        ...(authorization === undefined || call.anonymous ? {} : { Authorization: authorization }),
        ...(host === undefined ? {} : { Host: host }),
        ...call.headers,
        ...framing,
      },
      timeout: timeoutMs,
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no data for ${timeoutMs / 1000} s`)));
    outgoing.on('error', reject).on('response', (response) => {
      const { statusCode: status, headers } = response;
      buffer(response).then((body) => resolve({ status: status!, headers, body }), reject);
    });
    outgoing.end(call.body);
  });
}
