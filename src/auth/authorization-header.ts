import { isAscii, isUtf8 } from 'node:buffer';
import { BadCredential } from '../platform/errors.ts';

/** A login without the white space around it, and a password as it was sent. Neither is empty. */
export interface Credential {
  readonly login: string;
  readonly password: string;
}

/**
 * The credential in an `Authorization` header, not verified yet: `password` from Basic, `token` from Bearer
 * with a value that begins like an API token, and `jwt` from Bearer with any other value.
 */
export type Offered =
  | {
      readonly kind: 'password';
      /**
       * Possible readings of the bytes, the likelier first: one, or two if the bytes are valid both as UTF-8
       * and in the legacy code page.
       */
      readonly readings: readonly [Credential, ...Credential[]];
    }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'jwt'; readonly token: string };

/** Longer headers are not credentials of ours; a JWT with many claims has about 2 KiB. */
const maxHeaderLength = 12_288;

/** The first characters of every API token. */
export const tokenPrefix = 'tw_';

/**
 * Creates a parser of `Authorization` headers. It compares nothing with the database.
 * @param legacyCharset the code page of clients that do not send UTF-8, by its name in the Encoding Standard
 * @returns a parser, which throws BadCredential (reason `malformed`) when the header is neither well-formed
 *   Basic nor Bearer, or has more than 12,288 characters
 * @throws RangeError when there is no such code page
 */
export function createAuthorizationReader(legacyCharset: string): (header: string) => Offered {
  const legacy = new TextDecoder(legacyCharset, { ignoreBOM: true });
  return (header) => {
    const [, scheme = '', value = ''] = /^([A-Za-z]+) +([\w\-.~+/=:]+) *$/.exec(header) ?? [];
    if (header.length > maxHeaderLength)
      throw new BadCredential('The Authorization header is too long', 'malformed');
    switch (scheme.toLowerCase()) {
      case 'basic':
        return { kind: 'password', readings: readBasic(value, legacy) };
      case 'bearer':
        if (value.startsWith(tokenPrefix)) return { kind: 'token', token: value };
        return { kind: 'jwt', token: value };
      default:
        throw new BadCredential(
          'The Authorization header must be Basic or Bearer, with a credential',
          'malformed',
        );
    }
  };
}

/**
 * RFC 7617, section 2: base64 of `login:password`, split at the first colon. Clients of the old desk send
 * UTF-8 or, like .NET Framework, their machine's code page. Some byte sequences are valid in both.
 */
function readBasic(value: string, legacy: TextDecoder): [Credential, ...Credential[]] {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value))
    throw new BadCredential('The Basic credential is not base64', 'malformed');
  const bytes = Buffer.from(value, 'base64');
  if (isAscii(bytes)) return [divide(bytes.toString('latin1'))];
  const old = legacy.decode(bytes);
  return isUtf8(bytes) ? [divide(bytes.toString('utf8')), divide(old)] : [divide(old)];
}

function divide(text: string): Credential {
  const colon = text.indexOf(':');
  const login = text.slice(0, Math.max(colon, 0)).trim();
  const password = text.slice(colon + 1);
  if (colon < 0 || login === '' || password === '') {
    throw new BadCredential('The Basic credential is not login:password', 'malformed');
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 7617 forbids them, PostgreSQL U+0000.
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new BadCredential('The Basic credential contains control characters', 'malformed');
  }
  return { login, password };
}
