import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { sendResponse } from '../../src/platform/http/send-response.ts';

const KiB = 1024;

test('a piece of a long answer is made when its reader has taken those before it', async () => {
  let mostWaiting = 0;
  await using server = createServer((req, res) => {
    function* pieces() {
      for (let n = 0; n < 256; n += 1) {
        mostWaiting = Math.max(mostWaiting, res.writableLength);
        yield 'y'.repeat(64 * KiB);
      }
    }
    const headers = { 'Content-Length': 256 * 64 * KiB };
    sendResponse(req, res, { status: 200, headers, body: pieces() });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  expect((await answer.text()).length).toBe(256 * 64 * KiB);
  expect(mostWaiting).toBeLessThan(64 * KiB);
});
