import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import type { Answer, Door, Message } from '../support/calls.ts';

/** One call as its client knows it. */
export interface Entry {
  readonly round: number;
  readonly door: Door;
  readonly message: Message;
  /** Undefined: still waiting. */
  answer: Answer | undefined;
}

/**
 * The clients' calls by their bodies, which are unique, with their answers. Also written to disk, for the
 * search after a failure.
 */
export class ClientLog {
  readonly entries = new Map<string, Entry>();
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  said(entry: Entry): void {
    this.entries.set(entry.message.body, entry);
  }

  answered(entry: Entry, answer: Answer): void {
    entry.answer = answer;
    const { round, door, message } = entry;
    const files = message.files?.map(({ name, bytes }) => ({ name, sha256: sha256Of(bytes) }));
    appendFileSync(this.#path, `${JSON.stringify({ round, door, ...message, files, answer })}\n`);
  }

  of(round: number): Entry[] {
    return [...this.entries.values()].filter((entry) => entry.round === round);
  }
}

export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
