import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../support/eventually.ts';

/** A request to an endpoint. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Respond = (res: ServerResponse, received: Received, nth: number) => void;

/** A real endpoint. It answers 204 unless a test sets another answer. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** Connections so far, whether anything was sent on them or not. */
  readonly connections: number;
  /** Most requests that were under way at a time. */
  readonly atOnce: number;
  respond: Respond;
  /** The requests to a path, once there are so many. */
  has(count: number, path?: string): Promise<Received[]>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let [connections, underWay, atOnce] = [0, 0, 0];
  const server = createServer((req, res) => {
    underWay += 1;
    atOnce = Math.max(atOnce, underWay);
    res.once('close', () => {
      underWay -= 1;
    });
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const one = { path: req.url!, headers: req.headers, body: Buffer.concat(chunks).toString() };
      received.push(one);
      receiver.respond(res, one, received.length);
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const of = (path: string | undefined) =>
    path === undefined ? received : received.filter((one) => one.path === path);
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    get connections() {
      return connections;
    },
    get atOnce() {
      return atOnce;
    },
    respond: (res) => void res.writeHead(204).end(),
    has: (count, path) =>
      eventually(
        () => of(path).length >= count && of(path),
        () => received,
      ),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}

/** Verifies a request by WebCrypto. @returns which of its signatures this secret made */
export async function verify({ headers, body }: Received, secret: string): Promise<boolean[]> {
  const raw = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  const signed = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  const signatures = String(headers['webhook-signature']).split(' ');
  return Promise.all(
    signatures.map((text) => {
      const [version, signature = ''] = text.split(',');
      if (version !== 'v1') throw new Error(`version ${version}`);
      return crypto.subtle.verify('HMAC', key, Buffer.from(signature, 'base64'), signed);
    }),
  );
}
