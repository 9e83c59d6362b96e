import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { memoize } from '../platform/memoize.ts';
import { isAuthority } from './request-target.ts';

/** Headers that proxies, tunnels and CDNs add to forwarded requests. */
const forwarding = [
  ...[
    'forwarded',
    'via',
    'x-real-ip',
    'x-client-ip',
    'true-client-ip',
    'cf-connecting-ip',
    'x-cluster-client-ip',
  ],
  ...[
    'x-envoy-external-address',
    'x-original-host',
    'x-original-forwarded-for',
    'client-ip',
    'fly-client-ip',
  ],
];

/**
 * Whether a request comes from a program on this machine that addressed this machine. A page of another site
 * may reach us through a host name of its own (DNS rebinding). A proxy in front forwards requests of others:
 * it says so in a header, or uses HTTP/1.0, as nginx does by default. A proxy on this machine that does
 * neither is not recognized.
 */
export function isDirect(req: IncomingMessage): boolean {
  const { headers, socket } = req;
  return (
    isLoopbackAddress(socket.remoteAddress ?? '') &&
    isLoopbackHost(headers.host ?? '') &&
    req.httpVersion !== '1.0' &&
    !Object.keys(headers).some((name) => name.startsWith('x-forwarded') || forwarding.includes(name))
  );
}

const isLoopbackAddress = (address: string) =>
  address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address);

/** Compares the name only: whoever owns another name decides what it resolves to. */
function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * The IP address by which the caller is rate limited: the last one of X-Forwarded-For, without its port, if
 * the proxy is trusted and that is an IP address; else the address of the socket. `unknown` when the socket
 * is closed.
 */
export function remoteAddressOf(req: IncomingMessage, trustProxy: boolean): string {
  const own = req.socket.remoteAddress ?? 'unknown';
  if (!trustProxy) return own;
  const list = String(req.headers['x-forwarded-for'] ?? '').split(',');
  return addressIn(list.at(-1)!.trim()) ?? own;
}

/**
 * The address in an entry of X-Forwarded-For. Some proxies add the caller's port, with which each connection
 * would count as another address.
 */
function addressIn(entry: string): string | undefined {
  const address = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d+)?$/.exec(entry);
  const text = address?.[1] ?? address?.[2] ?? entry;
  return isIP(text) === 0 ? undefined : text;
}

/**
 * The absolute origin by which the caller reached us, as a browser writes it in `Origin`: in lower case, and
 * without the scheme's usual port. If the proxy is trusted, the first values of X-Forwarded-Host and
 * X-Forwarded-Proto count. `localhost` without a port replaces an invalid Host, and one with characters that
 * could do harm in links.
 */
export function originOf(req: IncomingMessage, trustProxy: boolean): string {
  const forwarded = (name: string) =>
    trustProxy
      ? String(req.headers[name] ?? '')
          .split(',')[0]!
          .trim()
      : '';
  const host = forwarded('x-forwarded-host') || (req.headers.host ?? 'localhost');
  const tls = (req.socket as TLSSocket).encrypted === true;
  const protocol = forwarded('x-forwarded-proto').toLowerCase() === 'https' || tls ? 'https' : 'http';
  return originWith(`${protocol}://${host}`);
}

/** Of a scheme and a Host. Remembered, because to parse a URL for each request would be dear. */
const originWith = memoize(
  (url) => {
    const [protocol, host] = url.split(/:\/\/(.*)/s) as [string, string];
    const origin = isAuthority(host) ? new URL(url).origin : '';
    return /^https?:\/\/[\w.:[\]-]+$/.test(origin) ? origin : `${protocol}://localhost`;
  },
  { texts: 50, longest: 300 },
);
