import type { IncomingMessage } from 'node:http';

/** What proxies, tunnels and networks of delivery add to what they pass on. */
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
 * Whether a program of this very machine asks, and means this machine. A page of another site reaches us
 * under a name of its own that it made to lead here (DNS rebinding), and a proxy in front asks for others: it
 * says so in a header, or speaks HTTP/1.0 as nginx does unless told otherwise.
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

/** By its letters: what a name leads to is for whoever owns the name to say. */
function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}
