import { z } from 'zod';
import { lowerCaseNames, type Recorded } from './compare-responses.ts';
import { fromHar, har } from './parse-har.ts';

const headers = z.record(z.string(), z.string()).default({});

/** A call in the format of our own test cases. */
const ownCall = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  method: z.string().default('POST'),
  path: z.string(),
  headers,
  body: z.string().nullish(),
  bodyBase64: z.string().nullish(),
  chunked: z.boolean().default(false),
  /** A stubbed result of the action, which no call can cause. */
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

/** @returns undefined if the file is not a HAR */
function readHar(data: unknown): Recording | undefined {
  if (data === null || typeof data !== 'object' || !('log' in data)) return undefined;
  const { entries } = check(har, data).log;
  const calls = entries.flatMap(fromHar);
  return { calls, leftOut: entries.length - calls.length };
}

/** The calls of a recording. */
export interface Recording {
  readonly calls: readonly Recorded[];
  /** Number of requests in a HAR that are not for the old endpoint or have no answer. */
  readonly leftOut: number;
}

/**
 * Parses a recording: a HAR, or calls in the format of our own test cases, as a JSON list, one on each line,
 * or a single one. Of our own cases, those whose result no call can cause are left out and not counted.
 * @throws Error that says what is wrong with the file
 */
export function readRecording(text: string): Recording {
  // Recorders on Windows write a byte order mark.
  const data = parse(text.replace(/^\ufeff/, ''));
  const list = data !== null && typeof data === 'object' && 'cases' in data ? data.cases : data;
  return readHar(data) ?? { calls: readOwn(Array.isArray(list) ? list : [list]), leftOut: 0 };
}

function readOwn(list: readonly unknown[]): Recorded[] {
  return check(z.array(ownCall), list)
    .filter(({ actionResult }) => actionResult === undefined)
    .map(fromOwn);
}

function check<T>(schema: z.ZodType<T>, data: unknown): T {
  const checked = schema.safeParse(data);
  if (!checked.success) throw new Error(`not a recording: ${z.prettifyError(checked.error)}`);
  return checked.data;
}

/** Parses one JSON document, or one on each line. */
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
  // In our cases, this path means an endpoint whose [Authorize] fails.
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
        ...lowerCaseNames(expect.headers),
        ...(expect.contentType ? { 'content-type': expect.contentType } : {}),
      },
      body: textIsOurs ? undefined : body,
    },
  };
}
