import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { MessageChunk, OpenStreams, type Wording } from '../../../src/graphql/http/open-streams.ts';

const wording: Wording = { head: () => ':\n', alive: ':\n', event: () => ['', ''], end: 'end\n' };
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const message = (text: string) => ({ pieces: new MessageChunk(text), isTemporary: false });

async function openStream(parts: AsyncDisposableStack) {
  const server = createServer();
  parts.defer(async () => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asked = once(server, 'request') as Promise<[unknown, ServerResponse]>;
  const answer = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [, res] = await asked;
  res.writeHead(200, { 'Transfer-Encoding': 'chunked', Connection: 'close' });
  const streams = new OpenStreams();
  const stream = streams.begin(res, wording, undefined);
  parts.defer(async () => streams.leave(stream));
  return { stream, socket: res.socket!, text: async () => (await answer).text() };
}

describe('messages of a stream', () => {
  test('that are written in one turn of the event loop are sent together, at its end', async () => {
    await using parts = new AsyncDisposableStack();
    const { stream, socket, text } = await openStream(parts);
    await nextTurn();
    const kept = ['one\n', 'two\n', 'three\n'].map((word) => {
      expect(stream.write(message(word))).toBeUndefined();
      return socket.writableLength;
    });
    expect(kept).toEqual([9, 18, 29]);
    await nextTurn();
    expect([socket.writableLength, socket.writableCorked]).toEqual([0, 0]);
    stream.complete();
    expect(await text()).toBe(':\none\ntwo\nthree\nend\n');
  });

  test('arrive in their order although the stream ends in the same turn', async () => {
    await using parts = new AsyncDisposableStack();
    const { stream, text } = await openStream(parts);
    stream.write(message('one\n'));
    stream.keepAlive();
    stream.write(message('two\n'));
    stream.complete();
    expect(await text()).toBe(':\none\n:\ntwo\nend\n');
  });

  test('are all sent although the stream is cut in the same turn', async () => {
    await using parts = new AsyncDisposableStack();
    const { stream, socket, text } = await openStream(parts);
    const closed = once(socket, 'close');
    stream.write(message('one\n'));
    stream.write(message('two\n'));
    const bytes = socket.bytesWritten;
    stream.cut();
    await closed;
    expect(socket.bytesWritten).toBe(bytes);
    await expect(text()).rejects.toThrow('terminated');
  });

  test('of a reader who takes nothing wait until it has taken them', async () => {
    await using parts = new AsyncDisposableStack();
    const { stream, text } = await openStream(parts);
    const long = `${'x'.repeat(1024 * 1024)}\n`;
    const waits: Promise<void>[] = [];
    for (let n = 0; n < 8; n += 1) {
      const taken = stream.write(message(long));
      if (taken !== undefined) waits.push(taken);
    }
    const found = text();
    await Promise.all(waits);
    stream.complete();
    expect([waits.length, (await found).length]).toEqual([8, 8 * long.length + 6]);
  });
});
