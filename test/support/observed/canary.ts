import { createLog, type Logger } from '../../../src/platform/log.ts';

/** Shorter ones are words that a line may have for another reason. */
const leastLength = 12;
const isId = (text: string): boolean => /^\w+:\d+$/.test(Buffer.from(text, 'base64').toString('latin1'));
/** Characters of lines that are kept at most: a test of load writes millions. */
const mostKept = 4_000_000;

/**
 * Watches over one gateway of a test: what its callers sent that is a secret or somebody's words, and what it
 * wrote to its log. At its end none of the one may be in the other.
 */
export class Canary {
  readonly #secrets = new Set<string>();
  readonly log: Logger;
  #text = '';

  constructor(level = 'info') {
    const write = (line: string) => {
      if (this.#text.length < mostKept) this.#text += line;
      return true;
    };
    this.log = createLog(level, { write } as unknown as NodeJS.WritableStream);
  }

  /** A credential, and every text of a body that is long enough to be known again. */
  sent(authorization: string | null | undefined, body: unknown): void {
    const credential = /^\w+ +(\S+)$/.exec(authorization ?? '')?.[1];
    if (credential !== undefined) {
      this.#add(credential);
      this.#add(Buffer.from(credential, 'base64').toString('utf8'));
    }
    this.#addTexts(body, 0);
  }

  /** @throws Error that names the first secret that was written down */
  assertSilent(): void {
    for (const secret of this.#secrets) {
      if (this.#text.includes(secret) || this.#text.includes(JSON.stringify(secret).slice(1, -1)))
        throw new Error(`the log of a gateway has what a caller sent: ${secret.slice(0, 80)}`);
    }
  }

  #add(secret: string): void {
    if (secret.length >= leastLength && this.#secrets.size < 200) this.#secrets.add(secret.slice(0, 200));
  }

  #addTexts(value: unknown, depth: number): void {
    // An id says nothing to anybody, and is in the path of what it names.
    if (typeof value === 'string') {
      if (!isId(value)) this.#add(value);
    } else if (typeof value === 'object' && value !== null && depth < 5)
      for (const inner of Object.values(value)) this.#addTexts(inner, depth + 1);
  }
}
