import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Connection, postRequest } from '../bench/support/http-client.ts';

/* What a benchmark waits for must come, or fail. */

const server = createServer();
afterEach(() => void server.close());

test('a request is answered although the server closed the idle connection', async () => {
  const sockets: Socket[] = [];
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.once(
      'data',
      () => void socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${sockets.length}`),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const connection = new Connection((server.address() as AddressInfo).port);
  const answers = [];
  for (let n = 0; n < 3; n += 1) {
    const { body } = await connection.send(postRequest('/', {}, '{}'));
    answers.push(String(body));
    // The server's side is closed when the client has closed its own.
    const last = sockets.at(-1)!;
    if (!last.closed) await once(last, 'close');
  }
  expect(answers).toEqual(['1', '2', '3']);
  connection.close();
});
