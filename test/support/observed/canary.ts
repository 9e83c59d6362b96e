import { createLog, type Logger } from '../../../src/platform/log.ts';

/** Shorter ones are words that a line may have for another reason. */
const leastLength = 12;
/** Ids, instants and values of enums are no secrets. An id is in the path of what it names. */
const isNobodysSecret = (text: string): boolean =>
  /^\w+:\d+$/.test(Buffer.from(text, 'base64').toString('latin1')) ||
  /^\d{4}-\d\d-\d\dT[\d:]+|^[A-Z_]+$/.test(text);
/** Characters of one place that are kept at most: a test of load writes millions. */
const mostKept = 2_000_000;
/** Settings whose values are secrets, or URLs that contain one. */
const secretSetting = /(TOKEN|KEY|SECRET|PASSWORD)$/;

/**
 * Where a program of ours writes. What its caller said may be in a reply to that caller, and in what a
 * command prints. A secret may be nowhere.
 */
const places = {
  log: 'words',
  metrics: 'words',
  traces: 'words',
  errors: 'words',
  replies: 'secrets',
  output: 'secrets',
} as const;
export type Place = keyof typeof places;

/**
 * Watches over one gateway or one command of a test: what it was given that is a secret or somebody's words,
 * and what it wrote, and where. At its end none of the one may be in the other.
 */
export class Canary {
  readonly #secrets = new Set<string>();
  readonly #words = new Set<string>();
  readonly log: Logger;
  readonly #texts = new Map<Place, string>();

  constructor(level = 'info') {
    const write = (line: string) => {
      this.wrote('log', line);
      return true;
    };
    this.log = createLog(level, { write } as unknown as NodeJS.WritableStream);
  }

  /** Whether what is written there is still kept. */
  listens(place: Place): boolean {
    return (this.#texts.get(place)?.length ?? 0) <= mostKept;
  }

  /** What the gateway or the command wrote. */
  wrote(place: Place, text: string): void {
    if (this.listens(place)) this.#texts.set(place, `${this.#texts.get(place) ?? ''}${text}`);
  }

  /** The secrets among the settings of a gateway. */
  set(env: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(env)) {
      if (secretSetting.test(name)) this.secret(value);
      const password = /^\w+:\/\/[^/@]*:([^/@]+)@/.exec(value)?.[1];
      if (password !== undefined) this.secret(decodeURIComponent(password));
    }
  }

  /** A credential, and every text of a body that is long enough to be known again. */
  sent(authorization: string | null | undefined, body: unknown): void {
    const [, scheme, credential] = /^(\w+) +(\S+)$/.exec(authorization ?? '') ?? [];
    if (credential !== undefined) {
      this.secret(credential);
      // A JWT's claims are kept as well as the whole.
      for (const part of credential.split('.')) this.secret(part);
    }
    if (scheme?.toLowerCase() === 'basic') this.#addPassword(Buffer.from(credential!, 'base64').toString());
    this.#addTexts(body, 0);
  }

  /** What a reply gives to its caller alone: signatures of URLs, with which anybody may download a file. */
  gave(reply: string): void {
    for (const [, signature] of reply.matchAll(/signature=([\w-]+)/g)) this.#add(signature!, this.#words);
  }

  /** @throws Error that names the place and the first secret that was written there */
  assertSilent(): void {
    for (const [place, text] of this.#texts)
      for (const kept of places[place] === 'secrets' ? [this.#secrets] : [this.#secrets, this.#words])
        for (const one of kept)
          if (text.includes(one) || text.includes(JSON.stringify(one).slice(1, -1)))
            throw new Error(`what is in the ${place} was given to be kept: ${one.slice(0, 80)}`);
  }

  /** A password, a token or a key. */
  secret(text: string): void {
    this.#add(text, this.#secrets);
  }

  #addPassword(pair: string): void {
    this.secret(pair);
    const end = pair.indexOf(':');
    this.#add(pair.slice(0, end), this.#words);
    this.secret(pair.slice(end + 1));
  }

  #add(text: string, to: Set<string>): void {
    if (text.length >= leastLength && to.size < 200) to.add(text.slice(0, 200));
  }

  #addTexts(value: unknown, depth: number): void {
    if (typeof value === 'string') {
      if (!isNobodysSecret(value)) this.#add(value, this.#words);
    } else if (typeof value === 'object' && value !== null && depth < 5)
      for (const inner of Object.values(value)) this.#addTexts(inner, depth + 1);
  }
}
