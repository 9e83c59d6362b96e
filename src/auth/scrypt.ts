import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** The cost of a scrypt hash. */
export interface ScryptParameters {
  /** Base-2 logarithm of N, the number of rounds. */
  readonly logN: number;
  /** Block size. */
  readonly r: number;
  /** Parallelization. */
  readonly p: number;
}

/**
 * The cost of new hashes: OWASP's equivalent of N = 2^17, p = 1 with the least memory: 16 MiB and 170 ms on
 * the reference machine. Hashes run beside uploads in one process, so memory is scarcer than time.
 */
export const currentParameters: ScryptParameters = { logN: 14, r: 8, p: 5 };

const keyBytes = 32;
const format =
  /^scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,88})\$([A-Za-z0-9+/]{22,88})$/;

/**
 * Hashes a password with a random salt. Equivalent spellings of a password in Unicode (NFC) count as the
 * same.
 * @returns a string that describes itself: `scrypt$ln=14,r=8,p=5$<salt>$<key>`, base64 without padding
 */
export async function hashScrypt(password: string, parameters = currentParameters): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, keyBytes, parameters);
  const { logN, r, p } = parameters;
  return `scrypt$ln=${logN},r=${r},p=${p}$${unpadded(salt)}$${unpadded(key)}`;
}

/**
 * Checks a password, in whichever of the equivalent spellings of Unicode it is typed.
 * @returns false for a wrong password, and for a text that {@link parseScrypt} does not accept
 */
export async function verifyScrypt(hash: string, password: string): Promise<boolean> {
  const parsed = parseScrypt(hash);
  if (parsed === undefined) return false;
  const key = await derive(password, parsed.salt, parsed.key.length, parsed.parameters);
  return timingSafeEqual(key, parsed.key);
}

/**
 * Parses a hash in the format of {@link hashScrypt}.
 * @returns its parameters, and its salt and key as bytes. Undefined for other texts, and for hashes that are
 *   too expensive to check: with a `logN` above 17, or an `r` or `p` above 16
 */
export function parseScrypt(hash: string) {
  const match = format.exec(hash);
  if (match === null) return undefined;
  const [logN, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  if (logN < 1 || logN > 17 || r < 1 || r > 16 || p < 1 || p > 16) return undefined;
  return {
    parameters: { logN, r, p },
    salt: Buffer.from(match[4]!, 'base64'),
    key: Buffer.from(match[5]!, 'base64'),
  };
}

/** Cost of a guess in a unit of its own (N · r · p), for comparing scrypt hashes with each other. */
export const scryptCost = ({ logN, r, p }: ScryptParameters): number => 2 ** logN * r * p;

/**
 * Whether a hash is cheaper to guess than a new one; false if they cost the same.
 * @param today parameters of new hashes
 */
export const isWeak = (parameters: ScryptParameters, today: ScryptParameters): boolean =>
  scryptCost(parameters) < scryptCost(today);

function derive(password: string, salt: Buffer, length: number, { logN, r, p }: ScryptParameters) {
  const N = 2 ** logN;
  const options: ScryptOptions = { N, r, p, maxmem: 128 * N * r + 128 * r * p + 1024 * 1024 };
  // The same ř may be one code point on one keyboard and two on another (RFC 8265, OpaqueString).
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, length, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
