import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { bodyOf } from '../../../src/http/uploads/request-body.ts';
import { soaking } from '../../support/soak.ts';

/** A body of which the first chunk was read, and the rest has arrived and waits. */
async function createArrived(rest: string) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = request({ port: (server.address() as AddressInfo).port, method: 'POST' });
  client.on('error', () => {}).write('first');
  const [req] = (await once(server, 'request')) as [IncomingMessage];
  const body = bodyOf(req);
  const chunks = body[Symbol.asyncIterator]();
  expect(String((await chunks.next()).value)).toBe('first');
  const arrived = once(req, 'end');
  client.end(rest);
  await arrived;
  return {
    body,
    chunks,
    [Symbol.dispose]() {
      client.destroy();
      server.close();
    },
  };
}

test('a body that is stopped before its rest is read is no whole body, though all had arrived', async () => {
  using arrived = await createArrived('the rest');
  const { body, chunks } = arrived;
  body.stop(new Error('another request continues this upload'));
  expect(body.broken).toBe(true);
  await expect(chunks.next()).rejects.toThrow('another request');
  expect(body.ended).toBe(false);
});

test('a body that is stopped after its last chunk was read is whole', async () => {
  using arrived = await createArrived('the rest');
  const { body, chunks } = arrived;
  expect(String((await chunks.next()).value)).toBe('the rest');
  body.stop(new Error('another request continues this upload'));
  expect(await chunks.next()).toMatchObject({ done: true });
  expect(body).toMatchObject({ ended: true, broken: false });
});

test('a body of which each byte has a chunk of its own is read in few pieces', async () => {
  const chunks = soaking ? 40_000 : 10_000;
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = request({ port: (server.address() as AddressInfo).port, method: 'POST' });
  client.on('error', () => {});
  for (let n = 0; n < chunks; n += 1) client.write('x');
  client.end();
  const [req] = (await once(server, 'request')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  // As long as a disk takes for a piece, more chunks arrive.
  for await (const piece of bodyOf(req)) {
    pieces.push(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(Buffer.concat(pieces)).toHaveLength(chunks);
  expect(pieces.length).toBeLessThan(chunks / 10);
  client.destroy();
  server.close();
});
