import { isIP } from 'node:net';
import { isPublicAddress } from './address-rules.ts';

/** Where webhooks may go. */
export interface Reach {
  /** Whether they may go to private addresses, and over `http:`. */
  readonly allowsPrivate: boolean;
}

const longestUrl = 2000;

/** The host of a URL as `lookup` takes it: an IPv6 address without brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/**
 * Why a URL cannot be an endpoint; undefined when it can. The addresses of a name are checked whenever a
 * request is sent, because they change.
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
