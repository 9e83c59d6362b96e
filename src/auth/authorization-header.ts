import { BadCredential } from '../errors.ts';

/** What an `Authorization` header offers. */
export type Offered =
  | { readonly kind: 'password'; readonly login: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'jwt'; readonly token: string };

/** Longer ones are no credential of ours; a JWT with many claims has some 2 KiB. */
const maxHeaderLength = 12_288;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const tokenPrefix = 'tw_';

/** @throws BadCredential when the header is neither well-formed Basic nor Bearer. */
export function readAuthorization(header: string): Offered {
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +([\w\-.~+/=:]+) *$/.exec(header) ?? [];
  if (header.length > maxHeaderLength) throw new BadCredential('The Authorization header is too long');
  switch (scheme.toLowerCase()) {
    case 'basic':
      return readBasic(value);
    case 'bearer':
      if (value.startsWith(tokenPrefix)) return { kind: 'token', token: value };
      return { kind: 'jwt', token: value };
    default:
      throw new BadCredential('The Authorization header must be Basic or Bearer, with a credential');
  }
}

/** RFC 7617, section 2: base64 of `login:password`, the first colon dividing. */
function readBasic(value: string): Offered {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) throw new BadCredential('The Basic credential is not base64');
  const text = decode(Buffer.from(value, 'base64'));
  const colon = text.indexOf(':');
  const login = text.slice(0, Math.max(colon, 0)).trim();
  const password = text.slice(colon + 1);
  if (colon < 0 || login === '' || password === '') {
    throw new BadCredential('The Basic credential is not login:password');
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 7617 forbids them, and PostgreSQL takes no U+0000.
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new BadCredential('The Basic credential contains control characters');
  }
  return { kind: 'password', login, password };
}

/** Clients of the old desk send UTF-8 or, older ones, Latin-1: what is no UTF-8 is the latter. */
function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}
