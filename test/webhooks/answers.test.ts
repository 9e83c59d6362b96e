import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { verdictOfReply } from '../../src/webhooks/reply-verdict.ts';
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

const day = 24 * 3600;
const malformed = ['-5', '1e3', '12.5', 'later 2199', '2199-01', '', 'Mon 12:10:00'];
test.each<[string, number]>([
  ['120', 120],
  [' 90 ', 90],
  ['0', 5],
  ['9999999999', day],
  ['9'.repeat(400), day],
  ['Sun, 29 Nov 2026 12:10:00 GMT', 600],
  ['Sunday, 29-Nov-26 12:10:00 GMT', 600],
  ['Sun Nov 29 12:10:00 2026', 600],
  ['Sun, 29 Nov 2199 12:10:00 GMT', day],
  ...malformed.map((text): [string, number] => [text, 5]),
])('Retry-After: %s is %i seconds', (retryAfter, seconds) => {
  const reply = { status: 503, retryAfter, error: undefined };
  const clock = { now: new Date('2026-11-29T12:00:00Z'), random: () => 0.5 };
  expect(verdictOfReply(reply, 0, clock)).toEqual({
    ...{ kind: 'failed', error: 'status 503', retryMs: seconds * 1000 },
  });
});
