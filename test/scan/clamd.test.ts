import { getEventListeners, once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pingScanner, ScannerUnavailable, ScanRefused, scanStream } from '../../src/scan/clamd.ts';
import { type ClamdStandIn, signature, startClamd } from '../support/servers/clamd.ts';

let clamd: ClamdStandIn;
beforeAll(async () => {
  clamd = await startClamd({ maxBytes: 1024 * 1024 });
});
afterAll(() => clamd[Symbol.asyncDispose]());
const at = () => ({ host: '127.0.0.1', port: clamd.port });

test.each([0, 1, 65_535, 65_536, 65_537, 500_000])('a file of %i bytes arrives whole', async (size) => {
  const bytes = Buffer.alloc(size, 'a');
  expect(await scanStream(at(), Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]))).toEqual({
    scan: 'CLEAN',
  });
  expect(clamd.scanned.at(-1)!.equals(bytes)).toBe(true);
});

test('a virus is reported by its name', async () => {
  expect(await scanStream(at(), Readable.from([Buffer.from(`before ${signature} after`)]))).toEqual({
    scan: 'INFECTED',
    found: 'Our.Own.Signature',
  });
});

test('a virus with a very long name is a virus', async () => {
  const file = Buffer.from(`name=${'YARA.'.repeat(100)}\n${signature}`);
  expect(await scanStream(at(), Readable.from([file]))).toEqual({
    scan: 'INFECTED',
    found: 'YARA.'.repeat(40),
  });
});

test('a worker that scans for years keeps nothing of the connections that are closed', async () => {
  const ending = new AbortController();
  for (let n = 0; n < 5; n += 1) await scanStream(at(), Readable.from([Buffer.from('a')]), ending.signal);
  await expect.poll(() => getEventListeners(ending.signal, 'abort')).toEqual([]);
});

test('a scan is aborted with its signal', async () => {
  const ending = new AbortController();
  const scan = scanStream(at(), new Readable({ read: () => ending.abort() }), ending.signal);
  await expect(scan).rejects.toThrow(ScannerUnavailable);
});

test('a file that is too large for it is refused while it is being sent, and read no further', async () => {
  let read = 0;
  const source = Readable.from(
    (function* () {
      for (; read < 100_000; read += 1) yield Buffer.alloc(65_536);
    })(),
  );
  await expect(scanStream(at(), source)).rejects.toThrow(ScanRefused);
  expect(read).toBeLessThan(1000);
  expect(source.destroyed).toBe(true);
});

test('a file that cannot be read fails with its store’s error, whatever the scanner answers', async () => {
  const source = new Readable({ read: () => void source.destroy(new Error('EIO')) });
  await expect(scanStream(at(), source)).rejects.toThrow('EIO');
});

test.each<[string, string | undefined, typeof ScannerUnavailable | typeof ScanRefused]>([
  ['ends without a word', '', ScannerUnavailable],
  ['says what is no verdict', 'stream: who knows\0', ScanRefused],
  ['says an empty word', '\0', ScanRefused],
  ['says more than is kept of it', `stream: ${'x'.repeat(191)}😀 ERROR\0`, ScanRefused],
  ['breaks the connection', undefined, ScannerUnavailable],
])('one that %s has not scanned', async (_what, word, fault) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (word === undefined) socket.resetAndDestroy();
    else socket.end(word);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const source = Readable.from([Buffer.alloc(1000)]);
  const failed = await scanStream({ host: '127.0.0.1', port }, source).catch((error) => error);
  expect(failed).toBeInstanceOf(fault);
  // The ledger stores what it says, and PostgreSQL refuses half a character.
  expect(failed.message.isWellFormed()).toBe(true);
  server.close();
  await expect(scanStream({ host: '127.0.0.1', port }, Readable.from([]))).rejects.toThrow(
    ScannerUnavailable,
  );
});

test('PING is answered, and a scan ends at once when it is aborted', async () => {
  await pingScanner(at());
  const release = clamd.hold();
  const ending = new AbortController();
  const scan = scanStream(at(), Readable.from([Buffer.from('x')]), ending.signal);
  await clamd.arrived();
  ending.abort();
  await expect(scan).rejects.toThrow(ScannerUnavailable);
  release();
});

test('a PING that nobody answers ends at once when it is aborted: a drain does not wait for it', async () => {
  await using silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const ending = new AbortController();
  const connected = once(silent, 'connection');
  const ping = pingScanner({ host: '127.0.0.1', port }, ending.signal);
  await connected;
  ending.abort();
  await expect(ping).rejects.toThrow(ScannerUnavailable);
});
