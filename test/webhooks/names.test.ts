import { createSocket } from 'node:dgram';
import { lookup, Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { addressesOf } from '../../src/webhooks/resolve-name.ts';
import { eventually } from '../support/eventually.ts';

/** A DNS server on this machine. @param answer what it makes of a question; undefined: it stays silent */
async function startDns(answer: (question: Buffer) => Buffer | undefined) {
  const server = createSocket('udp4');
  server.on('message', (question, { port, address }) => {
    const bytes = answer(question);
    if (bytes !== undefined) server.send(bytes, port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return {
    /** @param timeout short where silence is meant */
    resolver(timeout = 60_000) {
      const resolver = new Resolver({ timeout, tries: 1 });
      resolver.setServers([`127.0.0.1:${port}`]);
      return resolver;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

/** An answer with the question alone. @param code 3: there is no such name */
function withoutRecords(question: Buffer, code: number): Buffer {
  const answer = Buffer.from(question);
  answer.writeUInt16BE(0x8180 | code, 2);
  return answer;
}

test('names whose servers are silent do not keep the process from looking up others', async () => {
  await using dns = await startDns(() => undefined);
  // The system waits as well, and longer than DNS.
  const system = Promise.withResolvers<never>();
  const asked: string[] = [];
  const askSystem = (name: string) => {
    asked.push(name);
    return system.promise;
  };
  const ended: string[] = [];
  const silent = Array.from({ length: 8 }, (_, n) =>
    addressesOf(`silent-${n}.invalid`, dns.resolver(300), askSystem).catch(({ code }) => ended.push(code)),
  );
  await eventually(() => ended.length === 7);
  expect(new Set(ended)).toEqual(new Set(['ETIMEOUT']));
  expect(asked).toHaveLength(1);
  system.reject(Object.assign(new Error('there is no such name'), { code: 'ENOTFOUND' }));
  await Promise.all(silent);
  expect(ended.at(-1)).toBe('ENOTFOUND');
});

test('a name that DNS does not know, or whose servers are silent, is looked up by the system', async () => {
  await using knowing = await startDns((question) => withoutRecords(question, 3));
  await using silent = await startDns(() => undefined);
  const expected = await lookup('localhost', { all: true });
  const askSystem = () => lookup('localhost', { all: true });
  expect(await addressesOf('desk.localhost', knowing.resolver(), askSystem)).toEqual(expected);
  expect(await addressesOf('desk.localhost', silent.resolver(300), askSystem)).toEqual(expected);
});

test('a name with addresses of one kind has them, whatever becomes of the other kind', async () => {
  await using dns = await startDns((question) => {
    const type = question.readUInt16BE(question.indexOf(0, 12) + 1);
    if (type !== 1) return withoutRecords(question, 0);
    const end = question.indexOf(0, 12) + 5;
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
    const answer = Buffer.concat([withoutRecords(question.subarray(0, end), 0), record]);
    answer.writeUInt16BE(1, 6);
    answer.writeUInt16BE(0, 10);
    return answer;
  });
  expect(await addressesOf('desk.example.com', dns.resolver())).toEqual([
    { address: '192.0.2.1', family: 4 },
  ]);
});
