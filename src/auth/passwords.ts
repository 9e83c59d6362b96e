import { costOfImported, importedDecoyLike, isImportedHash, verifyImported } from './imported-hashes.ts';
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
 * A well-formed hash of this cost that no password matches, so that an unknown login is rejected as slowly
 * as a known one.
 */
const decoyOf = ({ logN, r, p }: ScryptParameters): string =>
  `scrypt$ln=${logN},r=${r},p=${p}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/**
 * Hashes a password with scrypt and a random salt. It does not check how good the password is.
 * @param parameters `currentParameters` of scrypt.ts by default
 * @returns the text for `users.password_hash`
 */
export function hashPassword(password: string, parameters?: ScryptParameters): Promise<string> {
  return hashScrypt(password, parameters);
}

/**
 * Whether `users.password_hash` may contain this text: our scrypt format, ASP.NET Identity v2 or v3, or
 * bcrypt, and none that is too expensive to check.
 */
export function isPasswordHash(hash: string): boolean {
  return parseScrypt(hash) !== undefined || isImportedHash(hash);
}

/** The result of a check. */
export interface PasswordCheck {
  readonly valid: boolean;
  /**
   * The hash to store instead of the checked one, if that was imported or is cheaper to guess than a new one.
   * Absent for a wrong password.
   */
  readonly replacement?: string;
}

/** Options of `checkPassword`. */
export interface PasswordCheckOptions {
  /**
   * A hash that no password matches, as expensive as the most expensive stored one whose cost is not that of
   * new ones; undefined when there is none.
   */
  readonly costliest?: string | undefined;
  /** Parameters of new hashes. */
  readonly cost?: ScryptParameters | undefined;
}

/**
 * Checks a password against a user's hash. It stores nothing. A wrong one always costs one scrypt of the
 * current parameters plus a check of the most expensive stored hash, so that imported hashes, ours and
 * missing ones cannot be distinguished by time. A right one costs one scrypt if it is stored with current
 * parameters, and else as much as a wrong one.
 * @param hash undefined or null: the user does not exist, or has no password
 */
export async function checkPassword(
  hash: string | null | undefined,
  password: string,
  { costliest, cost = currentParameters }: PasswordCheckOptions = {},
): Promise<PasswordCheck> {
  const decoyHash = decoyOf(cost);
  const checked = hash ?? decoyHash;
  const isCostliest = costliest !== undefined && costOf(checked) === costOf(costliest);
  const ours = parseScrypt(checked);
  if (ours !== undefined && costOf(checked) === costOf(decoyHash)) {
    const valid = await verifyScrypt(checked, password);
    if (valid && typeof hash === 'string') return { valid };
    if (costliest !== undefined) await verifyAny(isCostliest ? decoyHash : costliest, password);
    return { valid: false };
  }
  const decoy = isCostliest ? undefined : costliest;
  const [valid] = await Promise.all([
    verifyAny(checked, password),
    decoy === undefined ? undefined : verifyAny(decoy, password),
  ]);
  const replacement = await hashScrypt(password, cost);
  const isStronger = ours !== undefined && !isWeak(ours.parameters, cost);
  return valid && !isStronger ? { valid, replacement } : { valid };
}

/**
 * Cost of a check in milliseconds, measured on one machine; only for comparing hashes. 0 for a text that
 * {@link isPasswordHash} rejects.
 */
export function costOf(hash: string): number {
  const ours = parseScrypt(hash);
  return ours === undefined ? costOfImported(hash) : scryptCost(ours.parameters) * 2.6e-4;
}

const verifyAny = (hash: string, password: string): Promise<boolean> =>
  parseScrypt(hash) === undefined ? verifyImported(hash, password) : verifyScrypt(hash, password);

/**
 * A hash of the same format, cost and salt whose key no password matches.
 * @param hash one that {@link isPasswordHash} accepts; TypeError otherwise
 */
export const decoyLike = (hash: string): string =>
  parseScrypt(hash) === undefined
    ? importedDecoyLike(hash)
    : hash.replace(/[^$]+$/, (key) => 'A'.repeat(key.length));

/** Like {@link costOf}, for a scrypt hash with these parameters. */
export const costOfNewHash = (parameters: ScryptParameters): number => costOf(decoyOf(parameters));
