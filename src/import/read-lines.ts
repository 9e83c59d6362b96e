import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

/** One line of a file. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** `undefined`: it is too long or not UTF-8. */
  readonly text: string | undefined;
}

/** Larger than the largest body with each of its characters escaped. */
const maxLineBytes = 128 * 1024 * 1024;
const newline = 0x0a;

/**
 * Reads the lines of a file, with one chunk in memory at a time. Blank lines and a byte order mark are left
 * out.
 */
export async function* readLines(file: string): AsyncGenerator<Line> {
  let number = 0;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (): Line | undefined => {
    number += 1;
    const bytes = length > maxLineBytes ? undefined : Buffer.concat(parts);
    parts = [];
    length = 0;
    const text = bytes && decode(bytes)?.trim();
    return text === '' ? undefined : { number, text };
  };
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      parts.push(chunk.subarray(start, end));
      length += end - start;
      start = end + 1;
      const line = take();
      if (line !== undefined) yield line;
    }
    length += chunk.length - start;
    if (length <= maxLineBytes) parts.push(chunk.subarray(start));
    else parts = [];
  }
  if (length > 0) {
    const line = take();
    if (line !== undefined) yield line;
  }
}

type Beginning = (text: string) => boolean;
/** How files begin that are not lines of JSON, and what makes lines of them. */
const otherFormats: readonly (readonly [is: Beginning, why: string])[] = [
  [(text) => text.startsWith('\x1f\x8b'), 'is compressed by gzip: zcat FILE | … import -'],
  [(text) => text.startsWith('PK\x03\x04'), 'is a ZIP archive: unzip -p FILE | … import -'],
  [(text) => /^(?:\xff\xfe|\xfe\xff)/.test(text), 'is UTF-16: iconv -f UTF-16 -t UTF-8 FILE | … import -'],
  [(text) => /^(?:\xef\xbb\xbf)?\s*\[/.test(text), "is one list of JSON: jq -c '.[]' FILE | … import -"],
  [
    (text) => /^(?:\xef\xbb\xbf)?\s*\{[\t\r ]*\n/.test(text),
    'has JSON over several lines: jq -c . FILE | … import -',
  ],
];
const beginningBytes = 1024;

/**
 * Looks at the beginning of a file that may be no lines at all: each of its lines would be a problem.
 * @returns what it is instead, and what to do; undefined if it may be lines
 */
export async function whyNotLines(file: string): Promise<string | undefined> {
  await using opened = await open(file);
  const { buffer, bytesRead } = await opened.read(Buffer.alloc(beginningBytes), 0, beginningBytes, 0);
  const beginning = buffer.toString('latin1', 0, bytesRead);
  return otherFormats.find(([is]) => is(beginning))?.[1];
}

// Without ignoreBOM, the decoder removes a byte order mark.
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
