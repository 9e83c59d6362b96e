import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Version byte of the format. */
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts a mailbox's password with AES-256-GCM. The mailbox's address is authenticated too, without regard
 * to case, so a password copied into another mailbox's row does not decrypt.
 * @param key 32 bytes
 * @returns version (1 byte), nonce (12), tag (16) and the ciphertext
 * @throws RangeError for a key of another length
 */
export function sealPassword(password: string, address: string, key: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(address.toLowerCase()));
  const sealed = Buffer.concat([cipher.update(password, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), sealed]);
}

/**
 * Decrypts a mailbox's password.
 * @param address the mailbox's address; case does not matter
 * @throws Error for a wrong key, and for bytes that `sealPassword` did not make for this address
 */
export function openPassword(sealed: Uint8Array, address: string, key: Uint8Array): string {
  const bytes = Buffer.from(sealed);
  if (bytes[0] !== version || bytes.length < 1 + nonceBytes + tagBytes)
    throw new Error('not a sealed password');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 1 + nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(address.toLowerCase()));
  decipher.setAuthTag(bytes.subarray(1 + nonceBytes, 1 + nonceBytes + tagBytes));
  return Buffer.concat([
    decipher.update(bytes.subarray(1 + nonceBytes + tagBytes)),
    decipher.final(),
  ]).toString('utf8');
}
