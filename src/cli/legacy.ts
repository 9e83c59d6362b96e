import { readFile } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { differences, type Received, type Recorded } from '../rest/recording.ts';
import { readRecording } from '../rest/recording-file.ts';

export const replayUsage = `ticketwire legacy replay FILE [--url http://127.0.0.1:4000] [--user login:password] [--host localhost]

Sends the recorded calls of FILE and prints how the answers differ from the recorded ones. Every call is real: send them
to a desk that you can do without. FILE is a HAR, a JSON list, or one call a line:
  {"id", "method", "path", "headers", "body" or "bodyBase64", "chunked", "expect": {"status", "contentType", "headers", "body"}}
`;

const timeoutMs = 60_000;

/** @returns the exit code: 0 if nothing differs, 1 if something does, 2 if it could not be tried */
export async function replay(args: string[], out: NodeJS.WritableStream): Promise<number> {
  const options = readOptions(args);
  if (!options) {
    out.write(replayUsage);
    return 2;
  }
  let calls: Recorded[];
  try {
    calls = readRecording(await readFile(options.file, 'utf8'));
  } catch (error) {
    out.write(`${options.file}: ${(error as Error).message}\n`);
    return 2;
  }
  let differing = 0;
  for (const call of calls) {
    const found = await tryCall(call, options);
    if (found.length === 0) continue;
    differing++;
    out.write(`${call.name}\n${found.map((line) => `  ${line}\n`).join('')}`);
  }
  out.write(
    `${calls.length} calls sent to ${options.url.href}, ${differing === 0 ? 'none' : differing} answered otherwise\n`,
  );
  return differing === 0 ? 0 : 1;
}

interface Options {
  readonly file: string;
  readonly url: URL;
  /** Sent with every call that has no Authorization of its own. */
  readonly authorization: string | undefined;
  /** Host to call by, when the recording's answers repeat it. */
  readonly host: string | undefined;
}

function readOptions(args: string[]): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { url: { type: 'string' }, user: { type: 'string' }, host: { type: 'string' } },
    });
    if (positionals.length !== 1) return undefined;
    const authorization = values.user && `Basic ${Buffer.from(values.user).toString('base64')}`;
    const url = new URL(values.url ?? 'http://127.0.0.1:4000');
    return { file: positionals[0]!, url, authorization, host: values.host };
  } catch {
    return undefined;
  }
}

async function tryCall(call: Recorded, options: Options): Promise<string[]> {
  try {
    return differences(call.expect, await send(call, options));
  } catch (error) {
    return [`no answer: ${(error as Error).message}`];
  }
}

function send(call: Recorded, { url, authorization, host }: Options): Promise<Received> {
  const framing = call.chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': call.body.length };
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(call.path, url), {
      method: call.method,
      // As it was written: `new URL` alone would tidy it up.
      path: call.path,
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
