import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

export function parseMails(sources: readonly Uint8Array[]): ParsedMail[] {
  const folder = mkdtempSync(join(tmpdir(), 'mails-'));
  try {
    const paths = sources.map((source, n) => {
      const path = join(folder, `${n}.eml`);
      writeFileSync(path, source);
      return path;
    });
    const script = fileURLToPath(new URL('parse.py', import.meta.url));
    const output = execFileSync('python3', [script], { input: paths.join('\n'), maxBuffer: 1e9 }).toString();
    return output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ParsedMail);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const parseMail = (source: Uint8Array): ParsedMail => parseMails([source])[0]!;
export const bodyOf = (part: { body: string }): Buffer => Buffer.from(part.body, 'base64');
