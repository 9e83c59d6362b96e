import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A mail as Python's e-mail package reads it: a parser that shares no code with the composer. */
export interface ParsedMail {
  defects: string[];
  headers: [string, string][];
  from: [string, string][];
  to: [string, string][];
  cc: [string, string][];
  parts: {
    type: string;
    name: string | null;
    cid: string | null;
    disposition: string | null;
    /** Of its type. */
    parameters: Record<string, string>;
    body: string;
  }[];
  longestLine: number;
  bareBreaks: number;
  tree: string[];
}

/** Mails are read one after another by one process, as starting Python costs more than reading hundreds. */
export function parseMails(sources: readonly Uint8Array[]): Promise<ParsedMail[]> {
  const reading = last.then(() => readAll(sources));
  last = reading.catch(() => []);
  return reading;
}
let last: Promise<unknown> = Promise.resolve();

async function readAll(sources: readonly Uint8Array[]): Promise<ParsedMail[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mails-'));
  reader ??= startReader();
  const { stdin, stdout, lines } = reader;
  try {
    stdout.ref();
    const mails: ParsedMail[] = [];
    for (const [n, source] of sources.entries()) {
      const path = join(folder, `${n}.eml`);
      await writeFile(path, source);
      stdin.write(`${path}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('Python has ended: what it said stands above');
      mails.push(JSON.parse(value) as ParsedMail);
    }
    return mails;
  } finally {
    stdout.unref();
    await rm(folder, { recursive: true });
  }
}

let reader: ReturnType<typeof startReader> | undefined;

/** It ends when this process does, and keeps it from ending only while a mail is read. */
function startReader() {
  const child = spawn('python3', [fileURLToPath(new URL('parse.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.unref();
  const [stdin, stdout] = [child.stdin as Socket, child.stdout as Socket];
  stdin.unref();
  return { stdin, stdout, lines: createInterface(stdout)[Symbol.asyncIterator]() };
}

export const parseMail = async (source: Uint8Array): Promise<ParsedMail> => (await parseMails([source]))[0]!;
export const bodyOf = (part: { body: string }): Buffer => Buffer.from(part.body, 'base64');
