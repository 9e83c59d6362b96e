import { costOfImported, importedLikeButNobodys, isImportedHash, verifyImported } from './imported-hashes.ts';
import {
  currentParameters,
  hashScrypt,
  isWeak,
  parseScrypt,
  type ScryptParameters,
  scryptCost,
  verifyScrypt,
} from './scrypt.ts';

/**
 * A well-formed hash of this cost that no password has: who does not exist is refused as slowly as who does.
 */
const decoyOf = ({ logN, r, p }: ScryptParameters): string =>
  `scrypt$ln=${logN},r=${r},p=${p}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** @returns the text for `users.password_hash`. */
export function hashPassword(password: string, parameters?: ScryptParameters): Promise<string> {
  return hashScrypt(password, parameters);
}

/** Whether `users.password_hash` may hold this text: ours, ASP.NET Identity v2 or v3, or bcrypt. */
export function isPasswordHash(hash: string): boolean {
  return parseScrypt(hash) !== undefined || isImportedHash(hash);
}

export interface Verdict {
  readonly valid: boolean;
  /** What to store instead of the hash that was checked; absent when that one is as good as a new one. */
  readonly replacement?: string;
}

export interface PasswordCheck {
  /**
   * One that takes as long as any that is stored and that no password has; undefined: none is dearer than
   * today's.
   */
  readonly dearest?: string | undefined;
  /** Of the hashes that are made today. */
  readonly cost?: ScryptParameters | undefined;
}

/**
 * A wrong password takes one scrypt of today's cost and a check of the dearest hash there is, whoever's it
 * was: an imported hash, one of ours and none at all cannot be told apart by it. A right one takes a scrypt,
 * and what its own hash takes.
 * @param hash undefined or null: the user does not exist, or has no password.
 */
export async function checkPassword(
  hash: string | null | undefined,
  password: string,
  { dearest, cost = currentParameters }: PasswordCheck = {},
): Promise<Verdict> {
  const decoyHash = decoyOf(cost);
  const checked = hash ?? decoyHash;
  const isDearest = dearest !== undefined && costOf(checked) === costOf(dearest);
  const ours = parseScrypt(checked);
  if (ours !== undefined && !isWeak(ours.parameters, cost)) {
    const valid = await verifyScrypt(checked, password);
    if (valid && typeof hash === 'string') return { valid };
    if (dearest !== undefined) await verifyAny(isDearest ? decoyHash : dearest, password);
    return { valid: false };
  }
  const decoy = isDearest ? undefined : dearest;
  const [valid] = await Promise.all([
    verifyAny(checked, password),
    decoy === undefined ? undefined : verifyAny(decoy, password),
  ]);
  const replacement = await hashScrypt(password, cost);
  return valid ? { valid, replacement } : { valid };
}

/** What a check takes, in milliseconds on one machine: which of two is more is what matters. */
export function costOf(hash: string): number {
  const ours = parseScrypt(hash);
  return ours === undefined ? costOfImported(hash) : scryptCost(ours.parameters) * 2.6e-4;
}

const verifyAny = (hash: string, password: string): Promise<boolean> =>
  parseScrypt(hash) === undefined ? verifyImported(hash, password) : verifyScrypt(hash, password);

/** A hash of the same form, cost and salt, with a key that no password leads to. */
export const likeButNobodys = (hash: string): string =>
  parseScrypt(hash) === undefined
    ? importedLikeButNobodys(hash)
    : hash.replace(/[^$]+$/, (key) => 'A'.repeat(key.length));

/** As `costOf`, of a hash that is made with these parameters. */
export const costToMake = (parameters: ScryptParameters): number => costOf(decoyOf(parameters));
