import { pbkdf2, timingSafeEqual } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/*
 * Password hashes imported from an older desk. The password is not normalised, because the old desk did not
 * normalise it. ASP.NET Identity:
 * https://github.com/dotnet/aspnetcore/blob/main/src/Identity/Extensions.Core/src/PasswordHasher.cs
 */

interface Pbkdf2Hash {
  readonly digest: string;
  readonly iterations: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** Twenty times .NET's current default; an imported hash with more would stall sign-ins. */
const maxIterations = 2_000_000;
/** 2^14 rounds take a second or two in JavaScript. */
const maxBcryptCost = 14;
const bcryptFormat = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** bcrypt ignores further bytes, so a longer password would match with any ending. */
const maxBcryptBytes = 72;
const digests = ['sha1', 'sha256', 'sha512'] as const;

/**
 * Whether the text is a hash that {@link verifyImported} can check: bcrypt with a cost of 4 to 14, or ASP.NET
 * Identity, version 2 or 3, with at most 2,000,000 iterations.
 */
export function isImportedHash(hash: string): boolean {
  return isBcrypt(hash) || parseAspNet(hash) !== undefined;
}

/**
 * Checks a password against an imported hash, outside the event loop's thread.
 * @returns false for a wrong password, for a text that {@link isImportedHash} rejects, and with bcrypt for a
 *   password of more than 72 bytes, of which bcrypt would ignore the rest
 */
export async function verifyImported(hash: string, password: string): Promise<boolean> {
  if (isBcrypt(hash)) {
    const equal = await compareBcrypt(hash, password);
    return equal && Buffer.byteLength(password) <= maxBcryptBytes;
  }
  const parsed = parseAspNet(hash);
  if (parsed === undefined) return false;
  const { digest, iterations, salt, key } = parsed;
  const derived = await new Promise<Buffer>((resolve, reject) => {
    pbkdf2(password, salt, iterations, key.length, digest, (error, bytes) =>
      error ? reject(error) : resolve(bytes),
    );
  });
  return timingSafeEqual(derived, key);
}

const isBcrypt = (hash: string): boolean => bcryptCost(hash) !== undefined;

/**
 * Base-2 logarithm of its rounds; undefined for other texts, and for hashes that are too expensive to check.
 */
function bcryptCost(hash: string): number | undefined {
  const cost = Number(bcryptFormat.exec(hash)?.[1] ?? 0);
  return cost >= 4 && cost <= maxBcryptCost ? cost : undefined;
}

/**
 * Cost of a check in milliseconds, measured on one machine; 0 for a text that {@link isImportedHash} rejects.
 */
export function costOfImported(hash: string): number {
  const rounds = bcryptCost(hash);
  if (rounds !== undefined) return 2 ** rounds * 0.24;
  const aspNet = parseAspNet(hash);
  return aspNet === undefined ? 0 : aspNet.iterations * (aspNet.digest === 'sha512' ? 1e-3 : 5e-4);
}

/**
 * A hash of the same format, cost and salt whose key no password matches.
 * @param hash one that {@link isImportedHash} accepts; TypeError otherwise
 */
export function importedDecoyLike(hash: string): string {
  if (isBcrypt(hash)) return `${hash.slice(0, 29)}${'.'.repeat(31)}`;
  const bytes = Buffer.from(hash, 'base64');
  return bytes.fill(0, bytes.length - parseAspNet(hash)!.key.length).toString('base64');
}

/**
 * v2: 00, salt 16, key 32 (SHA-1, 1000 rounds). v3: 01, then big-endian PRF, rounds and salt length, then
 * salt and key.
 */
function parseAspNet(hash: string): Pbkdf2Hash | undefined {
  if (!/^[A-Za-z0-9+/]{40,}={0,2}$/.test(hash) || hash.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(hash, 'base64');
  if (bytes[0] === 0x00) {
    if (bytes.length !== 49) return undefined;
    return { digest: 'sha1', iterations: 1000, salt: bytes.subarray(1, 17), key: bytes.subarray(17) };
  }
  if (bytes[0] !== 0x01 || bytes.length < 13 + 16 + 16) return undefined;
  const digest = digests[bytes.readUInt32BE(1)];
  const iterations = bytes.readUInt32BE(5);
  const saltLength = bytes.readUInt32BE(9);
  const keyLength = bytes.length - 13 - saltLength;
  if (digest === undefined || iterations < 1 || iterations > maxIterations) return undefined;
  if (saltLength < 16 || keyLength < 16) return undefined;
  return {
    digest,
    iterations,
    salt: bytes.subarray(13, 13 + saltLength),
    key: bytes.subarray(13 + saltLength),
  };
}

/**
 * Runs in a worker thread, because bcrypt in JavaScript would block every other request for up to 100 ms at
 * a time.
 */
function compareBcrypt(hash: string, password: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./bcrypt-worker.ts', import.meta.url), {
      workerData: { hash, password },
    });
    worker.once('message', (equal: boolean) => resolve(equal));
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the bcrypt thread exited without a result')));
  });
}
