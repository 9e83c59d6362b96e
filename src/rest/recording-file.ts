import { z } from 'zod';
import type { Recorded } from './recording.ts';

const headers = z.record(z.string(), z.string()).default({});

/** A call as our own cases are written. */
const ownCall = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  method: z.string().default('POST'),
  path: z.string(),
  headers,
  body: z.string().nullish(),
  bodyBase64: z.string().nullish(),
  chunked: z.boolean().default(false),
  /** The action was made to answer so: nothing that a call brings about. */
  actionResult: z.string().optional(),
  textIsOurs: z.boolean().default(false),
  expect: z.object({
    status: z.number(),
    contentType: z.string().nullish(),
    headers,
    body: z.string().nullish(),
    bodyUtf16leWithBom: z.string().nullish(),
  }),
});

const namedValues = z.array(z.object({ name: z.string(), value: z.string() }));
const harEntry = z.object({
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: namedValues,
    postData: z.object({ text: z.string().default('') }).optional(),
  }),
  response: z.object({
    status: z.number(),
    headers: namedValues,
    content: z.object({ text: z.string().optional(), encoding: z.string().optional() }).optional(),
  }),
});

/** Reads a recording. @throws Error that says what is wrong with the file */
export function readRecording(text: string): Recorded[] {
  const data = parse(text);
  if (data !== null && typeof data === 'object' && 'log' in data) {
    return check(z.object({ log: z.object({ entries: z.array(harEntry) }) }), data).log.entries.map(fromHar);
  }
  const list = data !== null && typeof data === 'object' && 'cases' in data ? data.cases : data;
  return check(z.array(ownCall), Array.isArray(list) ? list : [list])
    .filter(({ actionResult }) => actionResult === undefined)
    .map(fromOwn);
}

function check<T>(schema: z.ZodType<T>, data: unknown): T {
  const checked = schema.safeParse(data);
  if (!checked.success) throw new Error(`no recording: ${z.prettifyError(checked.error)}`);
  return checked.data;
}

/** One JSON document, or one a line. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
    if (lines.length < 2) throw error;
    return lines.map((line, i) => {
      try {
        return JSON.parse(line);
      } catch {
        throw new Error(`line ${i + 1} is not JSON`);
      }
    });
  }
}

function fromOwn(call: z.infer<typeof ownCall>, index: number): Recorded {
  const { expect, bodyBase64, textIsOurs } = call;
  const utf16 = expect.bodyUtf16leWithBom;
  const body = utf16 == null ? Buffer.from(expect.body ?? '') : Buffer.from(`\ufeff${utf16}`, 'utf16le');
  // The cases' name for the endpoint behind an [Authorize] that fails.
  const anonymous = /\/Secured$/i.test(call.path);
  return {
    name: [call.id ?? index + 1, call.name].filter(Boolean).join(' '),
    method: call.method,
    path: anonymous ? call.path.replace(/Secured$/i, 'NewMessage') : call.path,
    headers: call.headers,
    body: bodyBase64 == null ? Buffer.from(call.body ?? '') : Buffer.from(bodyBase64, 'base64'),
    chunked: call.chunked,
    anonymous,
    expect: {
      status: expect.status,
      headers: {
        ...lower(expect.headers),
        ...(expect.contentType ? { 'content-type': expect.contentType } : {}),
      },
      body: textIsOurs ? undefined : body,
    },
  };
}

/** Headers that belong to the recorded connection. */
const hop =
  /^(:.*|host|content-length|connection|transfer-encoding|accept-encoding|content-encoding|keep-alive|expect)$/;

function fromHar({ request, response }: z.infer<typeof harEntry>, index: number): Recorded {
  const url = new URL(request.url);
  const { text, encoding } = response.content ?? {};
  return {
    name: `${index + 1} ${request.method} ${url.pathname}`,
    method: request.method,
    path: url.pathname + url.search,
    headers: Object.fromEntries(
      request.headers
        .filter(({ name }) => !hop.test(name.toLowerCase()))
        .map(({ name, value }) => [name, value]),
    ),
    body: Buffer.from(request.postData?.text ?? ''),
    chunked: request.headers.some(
      ({ name, value }) => /^transfer-encoding$/i.test(name) && /chunked/i.test(value),
    ),
    anonymous: false,
    expect: {
      status: response.status,
      headers: lower(Object.fromEntries(response.headers.map(({ name, value }) => [name, value]))),
      body: text === undefined ? undefined : Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8'),
    },
  };
}

function lower(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
