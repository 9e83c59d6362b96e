import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

/** One line of a file. */
export interface Line {
  /** From 1; blank lines count. */
  readonly number: number;
  /** Without white space around it. Undefined if the line is not UTF-8, or is longer than 128 MiB. */
  readonly text: string | undefined;
  /** Bytes of the line in the file, without its line feed. A carriage return before it counts. */
  readonly byteSize: number;
}

/** Larger than the largest body with each of its characters escaped. */
const maxLineBytes = 128 * 1024 * 1024;
const newline = 0x0a;

/**
 * Reads the lines of a file. Blank lines and a byte order mark are left out. At most one line and one chunk
 * of the file are in memory.
 * @throws the error of Node when the file cannot be read
 */
export async function* readLines(file: string): AsyncGenerator<Line> {
  let number = 0;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (): Line | undefined => {
    number += 1;
    const byteSize = length;
    const bytes = byteSize > maxLineBytes ? undefined : Buffer.concat(parts);
    parts = [];
    length = 0;
    const text = bytes && decode(bytes)?.trim();
    return text === '' ? undefined : { number, text, byteSize };
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
  // With a byte order mark, or a letter of ASCII in two bytes.
  [
    (text) => /^(?:\xff\xfe|\xfe\xff)/.test(text) || text.slice(0, 2).includes('\0'),
    'is UTF-16: iconv -f UTF-16 -t UTF-8 FILE | … import -',
  ],
  [(text) => /^(?:\xef\xbb\xbf)?\s*\[/.test(text), "is one list of JSON: jq -c '.[]' FILE | … import -"],
  [
    (text) => /^(?:\xef\xbb\xbf)?\s*\{[\t\r ]*\n/.test(text),
    'has JSON over several lines: jq -c . FILE | … import -',
  ],
];
const beginningBytes = 1024;

/**
 * Reads the first 1,024 bytes of a file to see whether it has another format than JSON lines, because each of
 * its lines would be reported: gzip, ZIP, UTF-16, one JSON list, or JSON over several lines.
 * @returns what the file is and how to convert it, as the rest of a sentence that begins with its name (`is a
 *   ZIP archive: unzip -p FILE | … import -`); undefined if it may be JSON lines
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
