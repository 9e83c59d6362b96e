import { createLog, type Logger } from '../../../src/platform/log.ts';

/** Shorter ones are words that a line may have for another reason. */
const leastLength = 12;
/** Ids, instants and values of enums are no secrets. An id is in the path of what it names. */
const isNobodysSecret = (text: string): boolean =>
  /^\w+:\d+$/.test(Buffer.from(text, 'base64').toString('latin1')) ||
  /^\d{4}-\d\d-\d\dT[\d:]+|^[A-Z_]+$/.test(text);
/** Characters that are kept at most: a test of load writes millions. */
const mostKept = 4_000_000;
/** Settings whose values are secrets, or URLs that contain one. */
const secretSetting = /(TOKEN|KEY|SECRET|PASSWORD)$/;

/** Where a gateway tells how it is doing, and to whom else than its caller. */
export type Place = 'log' | 'metrics' | 'traces' | 'errors';

/**
 * Watches over one gateway of a test: what its callers sent that is a secret or somebody's words, and what it
 * wrote to its log, metrics and traces, and as errors. At its end none of the one may be in the other.
 */
export class Canary {
  readonly #secrets = new Set<string>();
  readonly log: Logger;
  readonly #texts = new Map<Place, string>();
  #kept = 0;

  constructor(level = 'info') {
    const write = (line: string) => {
      this.wrote('log', line);
      return true;
    };
    this.log = createLog(level, { write } as unknown as NodeJS.WritableStream);
  }

  /** What the gateway wrote. */
  wrote(place: Place, text: string): void {
    if (this.#kept > mostKept) return;
    this.#kept += text.length;
    this.#texts.set(place, `${this.#texts.get(place) ?? ''}${text}\n`);
  }

  /** The secrets among the settings of a gateway. */
  set(env: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(env)) {
      if (secretSetting.test(name)) this.#add(value);
      const password = /^\w+:\/\/[^/@]*:([^/@]+)@/.exec(value)?.[1];
      if (password !== undefined) this.#add(decodeURIComponent(password));
    }
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

  /** @throws Error that names the place and the first secret that was written there */
  assertSilent(): void {
    for (const [place, text] of this.#texts)
      for (const secret of this.#secrets) {
        if (text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1)))
          throw new Error(`the ${place} of a gateway have what a caller sent: ${secret.slice(0, 80)}`);
      }
  }

  #add(secret: string): void {
    if (secret.length >= leastLength && this.#secrets.size < 200) this.#secrets.add(secret.slice(0, 200));
  }

  #addTexts(value: unknown, depth: number): void {
    if (typeof value === 'string') {
      if (!isNobodysSecret(value)) this.#add(value);
    } else if (typeof value === 'object' && value !== null && depth < 5)
      for (const inner of Object.values(value)) this.#addTexts(inner, depth + 1);
  }
}
