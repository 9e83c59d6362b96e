import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Canary } from './canary.ts';

/** Receives OpenTelemetry's traces as JSON: every span is something that the gateway wrote. */
export async function watchTraces(canary: Canary): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(async (req, res) => {
    canary.wrote('traces', await text(req));
    res.setHeader('Content-Type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
