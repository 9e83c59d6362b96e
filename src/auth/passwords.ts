import { isImportedHash, verifyImported } from './imported-hashes.ts';
import {
  currentParameters,
  hashScrypt,
  isWeak,
  parseScrypt,
  type ScryptParameters,
  verifyScrypt,
} from './scrypt.ts';

/** A well-formed hash of today's cost that no password has: who does not exist is refused as slowly as who does. */
const decoyHash = `scrypt$ln=${currentParameters.logN},r=${currentParameters.r},p=${currentParameters.p}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

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

/**
 * Takes at least one scrypt of today's cost, whatever the hash is: for an imported one the replacement is made at the same
 * time, needed or not, and for none a decoy is checked.
 * @param hash undefined or null: the user does not exist, or has no password.
 */
export async function checkPassword(hash: string | null | undefined, password: string): Promise<Verdict> {
  const ours = parseScrypt(hash ?? decoyHash);
  if (ours !== undefined && !isWeak(ours.parameters)) {
    const valid = await verifyScrypt(hash ?? decoyHash, password);
    return { valid: valid && typeof hash === 'string' };
  }
  const verify = ours === undefined ? verifyImported : verifyScrypt;
  const [valid, replacement] = await Promise.all([verify(hash!, password), hashScrypt(password)]);
  return valid ? { valid, replacement } : { valid };
}
