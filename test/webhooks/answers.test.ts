import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { sendRequest } from '../../src/webhooks/send-request.ts';

/* What an endpoint may answer besides what HTTP asks for. Each request ends, by its answer or its failure. */

/** What a server on this machine makes of a request, when it has read its end. */
async function replyOf(answer: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('{}')) answer(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const request = { headers: {}, body: '{}' };
  const reply = await sendRequest(`http://127.0.0.1:${port}/`, request, { allowsPrivate: true });
  server.close();
  return reply.error ?? reply.status;
}

const ok = 'HTTP/1.1 200 OK\r\n';

test.each([
  ['HTTP/1.0 without a length', 'HTTP/1.0 200 OK\r\n\r\ntaken', 200],
  ['other answers first', `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${ok}\r\n`, 200],
  ['less than its length', `${ok}Content-Length: 9\r\n\r\nshort`, 200],
  ['a chunk that is none', `${ok}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 200],
  [
    'a protocol that was not asked for',
    'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    /closed/,
  ],
  ['nothing', '', 'ECONNRESET'],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', /^HPE_/],
  ['headers without an end', `${ok}${'a: b\r\n'.repeat(20_000)}`, 'HPE_HEADER_OVERFLOW'],
  ['a status beyond three digits', 'HTTP/1.1 2000 OK\r\n\r\n', /^HPE_/],
])('%s', async (_, answer, expected) => {
  const found = await replyOf((socket) => socket.end(answer));
  if (expected instanceof RegExp) expect(found).toMatch(expected);
  else expect(found).toBe(expected);
});

test('a connection that is reset within the answer keeps its status', async () => {
  const found = await replyOf((socket) => {
    socket.write(`${ok}Content-Length: 9\r\n\r\nx`, () => setImmediate(() => socket.resetAndDestroy()));
  });
  expect([200, 'ECONNRESET']).toContain(found);
});
