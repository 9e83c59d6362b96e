import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { logRefusals } from '../../../src/http/connections/limit.ts';
import { eventually } from '../../support/eventually.ts';
import { keepLog } from '../../support/observed/log-lines.ts';

/** A server that refuses every connection, and how many connections each line of its log tells of. */
async function startRefusing(everyMs?: number) {
  const { log, lines } = keepLog();
  const server: Server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.maxConnections = 0;
  logRefusals(server, log, everyMs);
  return {
    told: () => lines.map(({ refused }) => refused as number),
    async refuse(count: number): Promise<void> {
      for (let n = 0; n < count; n += 1) {
        const refused = once(server, 'drop');
        connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
        await refused;
      }
    },
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

test('a burst of refused connections is one line at its start and one with the rest at its end', async () => {
  const server = await startRefusing();
  await server.refuse(50);
  expect(server.told()).toEqual([1]);
  await server[Symbol.asyncDispose]();
  expect(server.told()).toEqual([1, 49]);
});

test('the rest of a burst is told although no connection is refused any more', async () => {
  await using server = await startRefusing(10);
  await server.refuse(50);
  await eventually(() => sumOf(server.told()) === 50);
});
