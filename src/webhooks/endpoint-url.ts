import { isIP } from 'node:net';
import { isPublicAddress } from './is-public-address.ts';

/** To which addresses requests to webhooks may be sent. */
export interface Reach {
  /**
   * Whether they may go to private addresses too, and over `http:`. If not, only to public ones, over
   * `https:`.
   */
  readonly allowsPrivate: boolean;
}

const longestUrl = 2000;

/** The host of a URL without its port, as `lookup` takes it: an IPv6 address without brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/**
 * Why a URL cannot be an endpoint, as the end of a sentence about it: `must begin with https://`. Undefined
 * when it can. It may have up to 2,000 characters, and no user, password or fragment. A name is not resolved:
 * its addresses are checked whenever a request is sent, because they change.
 */
export function whyNotEndpoint(text: string, { allowsPrivate }: Reach): string | undefined {
  if (text.length > longestUrl || !URL.canParse(text)) return 'is no URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(allowsPrivate && url.protocol === 'http:'))
    return 'must begin with https://';
  if (url.username !== '' || url.password !== '') return 'must not contain a user or a password';
  if (url.hash !== '') return 'must not have a fragment (#)';
  const host = hostOf(url);
  if (!allowsPrivate && isIP(host) !== 0 && !isPublicAddress(host)) return 'must not be a private address';
  return undefined;
}
