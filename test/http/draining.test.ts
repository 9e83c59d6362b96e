import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { drainable } from '../../src/http/drain-server.ts';
import { countWaiting } from '../support/database.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { readAll } from '../support/servers/read-all.ts';
import { add } from '../tickets/calls.ts';

/** One POST to the legacy door over a connection that its client means to keep. */
function post(url: string, agent: Agent, body: object): Promise<{ status: number; connection: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; connection: string }>();
  const req = request(`${url}/api/Tickets/NewMessage`, {
    agent,
    method: 'POST',
    headers: { authorization: asOperator, 'content-type': 'application/json' },
  });
  req.on('error', reject);
  req.on('response', (res) => {
    res.resume();
    res.on('end', () => resolve({ status: res.statusCode!, connection: res.headers.connection ?? '' }));
  });
  req.end(JSON.stringify(body));
  return promise;
}

/** A message with a file. @returns where it can be downloaded */
async function attach(gateway: Gateway, bytes: Buffer): Promise<string> {
  const headers = { authorization: asOperator, 'content-type': 'application/octet-stream' };
  const sent = { method: 'POST', headers, body: new Uint8Array(bytes) };
  const answer = await fetch(`${gateway.url}/uploads`, sent);
  const { upload } = (await answer.json()) as { upload: string };
  const added = await add(gateway, { attachments: [{ upload }] });
  return added.ticketMessage.attachments[0]!.downloadUrl;
}

/** Whether new connections are no longer taken. */
const isRefused = (url: string): Promise<boolean> =>
  fetch(`${url}/health/ready`).then(
    () => false,
    () => true,
  );

/**
 * An idle connection closes by itself after 65 s. A drain that waits for it takes longer than this test may.
 */
const beforeKeptEnd = 60_000;

test(
  'an end waits for every call under way and for no connection that its client only keeps',
  async () => {
    await using gateway = await startGateway({ env: { ROLES: 'web' } });
    const agent = new Agent({ keepAlive: true });
    const call = (body: string) => post(gateway.url, agent, { TicketREF: 'INC-000047', Message: body });
    await Promise.all([call('kept 1'), call('kept 2'), call('kept 3')]);
    let calls: ReturnType<typeof call>[] = [];
    let ended: PromiseLike<void> | undefined;
    await gateway.sql.begin(async (tx) => {
      await tx`select from tickets where id = 47 for update`;
      calls = [call('under way 1'), call('under way 2')];
      await expect.poll(() => countWaiting(gateway.sql)).toBeGreaterThan(0);
      ended = gateway.app[Symbol.asyncDispose]();
      await expect.poll(() => isRefused(gateway.url)).toBe(true);
    });
    // What is answered from now on says that it was the last on its connection.
    expect(await Promise.all(calls)).toEqual(Array(2).fill({ status: 200, connection: 'close' }));
    await ended;
    expect((await gateway.sql`select from messages where body like 'under way %'`).length).toBe(2);
    agent.destroy();
  },
  beforeKeptEnd,
);

test(
  'a download that is half out at the end arrives whole, and then its connection ends too',
  async () => {
    await using gateway = await startGateway({ env: { ROLES: 'web' } });
    const bytes = Buffer.alloc(8_000_000, 'download');
    const url = await attach(gateway, bytes);
    const agent = new Agent({ keepAlive: true });
    const headers = { authorization: asOperator };
    const begun = new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { agent, headers }, resolve).on('error', reject);
    });
    // Larger than what the two ends keep: the rest of it is read when the end has begun.
    const download = await begun;
    const ended = gateway.app[Symbol.asyncDispose]();
    await expect.poll(() => isRefused(gateway.url)).toBe(true);
    expect(Buffer.concat(await download.toArray()).equals(bytes)).toBe(true);
    await ended;
    agent.destroy();
  },
  beforeKeptEnd,
);

test('shutdown does not wait for a stalled request, and answers one that has arrived', async () => {
  const [arrived, answers] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const server = createServer(async (req, res) => {
    const body = await readAll(req).catch(() => undefined);
    if (body === undefined) return;
    arrived.resolve();
    await answers.promise;
    res.end('answered');
  });
  const drain = drainable(server, 500);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const send = (text: string) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    return readAll(socket).then(String, () => 'cut');
  };
  const head = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n';
  const sent = [send(`${head}12345`), send('POST / HTTP/1.1\r\nHo'), send(`${head}1234567890`)];
  await arrived.promise;
  const drained = drain();
  // These two are cut while the third is still being answered.
  expect(await Promise.all(sent.slice(0, 2))).toEqual(['', '']);
  answers.resolve();
  await drained;
  expect(await sent[2]).toContain('answered');
});

test('shutdown cuts a download and a watcher that stop reading, after a while', async () => {
  const stallLimits = { checkEveryMs: 50, checks: 4, leastBytes: 1 };
  await using gateway = await startGateway({ env: { ROLES: 'web' }, overrides: { stallLimits } });
  const { pathname, port } = new URL(await attach(gateway, Buffer.alloc(8_000_000, 'x')));
  const unread = (head: string, body = '') => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(`${head}\r\n\r\n${body}`));
    return { socket, answered: once(socket, 'readable'), closed: once(socket, 'close') };
  };
  const authorized = `Host: localhost\r\nAuthorization: ${asOperator}`;
  const download = unread(`GET ${pathname} HTTP/1.1\r\n${authorized}`);
  const fields =
    'ticketMessage { ticket { messages(last: 1) { edges { node { a: body b: body c: body } } } } }';
  const query = `subscription { ticketEvents(ticket: { ticketId: 3 }) { cursor ${fields} } }`;
  const body = JSON.stringify({ query });
  const length = `Content-Length: ${body.length}\r\nContent-Type: application/json`;
  const accept = 'Accept: text/event-stream';
  const watcher = unread(`POST /graphql HTTP/1.1\r\n${authorized}\r\n${accept}\r\n${length}`, body);
  await Promise.all([download.answered, watcher.answered]);
  // Three times as a client asks for it, more than a socket and its reader's buffers hold.
  await gateway.legacy({ TicketId: 3, Message: 'm'.repeat(3_000_000) });
  await gateway.app[Symbol.asyncDispose]();
  for (const { socket, closed } of [download, watcher]) {
    socket.on('error', () => {}).resume();
    await closed;
  }
});
