import { createReadStream } from 'node:fs';

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

// Without ignoreBOM, the decoder removes a byte order mark.
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
