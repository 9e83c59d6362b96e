import type { Viewer } from '../context.ts';
import type { Basis } from '../tickets/reads.ts';
import type { PlainAnswer } from './direct.ts';

/** Milliseconds after which an answer is made anew, whatever is known of it: nothing that was withdrawn stays in memory for long. */
const longestKept = 60_000;
/** Characters of one answer at most; a larger one is rare, and pushes out many. */
const largest = 1024 * 1024;

export interface KeptAnswer extends PlainAnswer {
  readonly basis: Basis;
}

/** Answers to queries, by who asked what; the oldest go first. Each is given again only after a look at what it was read from. */
export interface KeptAnswers {
  get(key: string): KeptAnswer | undefined;
  put(key: string, answer: KeptAnswer): void;
  delete(key: string): void;
}

/** What an entry costs beside its texts, and a row of its basis, bytes: small answers must not be free. */
const entryBytes = 600;
const rowBytes = 150;

/** @param limit bytes of memory that all answers with their questions and bases take, about; 0: none is kept */
export function createKeptAnswers(limit: number, clock = () => performance.now()): KeptAnswers {
  const kept = new Map<string, KeptAnswer & { readonly at: number }>();
  let size = 0;
  const sizeOf = (key: string, { text, basis }: KeptAnswer) =>
    entryBytes + 2 * (key.length + text.length) + rowBytes * (basis.tickets.size + basis.people.size);
  const remove = (key: string) => {
    const answer = kept.get(key);
    if (answer === undefined) return;
    kept.delete(key);
    size -= sizeOf(key, answer);
  };
  const trim = () => {
    const now = clock();
    for (const [key, { at }] of kept) {
      if (size <= limit && now - at < longestKept) return;
      remove(key);
    }
  };
  // Nothing that was withdrawn stays, even when nobody asks any more.
  setInterval(trim, longestKept / 4).unref();
  return {
    get(key) {
      trim();
      return kept.get(key);
    },
    put(key, answer) {
      remove(key);
      if (answer.text.length > largest) return;
      kept.set(key, { ...answer, at: clock() });
      size += sizeOf(key, answer);
      trim();
    },
    delete: remove,
  };
}

/** Bytes of a question that is remembered. */
const longestQuestion = 16_384;
const names = new WeakMap<Viewer, string>();

/** Who asks what, and by which name of the gateway, as links in answers begin with it; undefined: not to be kept. */
export function questionOf(viewer: Viewer | undefined, origin: string, body: Buffer): string | undefined {
  if (viewer === undefined || body.length > longestQuestion) return undefined;
  // A command's answer is never kept, and what may be one need not be looked for.
  if (body.includes('"mutation')) return undefined;
  let name = names.get(viewer);
  if (name === undefined) {
    const { userId, login, role, scopes } = viewer;
    name = JSON.stringify([userId, login, role, [...scopes]]);
    names.set(viewer, name);
  }
  return `${name} ${origin}\n${body.toString('latin1')}`;
}
