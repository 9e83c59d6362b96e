import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { listen } from '../src/app/listen.ts';
import { describeStartError } from '../src/describe-start-error.ts';

/** What a start says. */
const told = async (host: string, port: number, setting?: 'WORKER_PORT'): Promise<string | undefined> => {
  const server = createServer();
  try {
    return await listen(server, { host, port }, setting);
  } catch (error) {
    return describeStartError(error);
  } finally {
    server.close();
  }
};

test('what cannot be listened on is told by its setting, and is no trouble of the database', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  expect(await told('127.0.0.1', port)).toBe(`PORT: 127.0.0.1:${port} is in use by another program`);
  expect(await told('127.0.0.1', port, 'WORKER_PORT')).toMatch(/^WORKER_PORT: .* is in use by another/);
  other.close();
  expect(await told('192.0.2.7', 0)).toMatch(/^HOST: cannot be listened on: .*EADDRNOTAVAIL/);
  expect(await told('nowhere.invalid', 0)).toMatch(/^HOST: cannot be listened on: .*(ENOTFOUND|EAI_AGAIN)/);
  expect(await told('::1', 0)).toMatch(/^http:\/\/\[::1\]:\d+$/);
});
