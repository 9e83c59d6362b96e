import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createLog } from '../../src/platform/log.ts';
import { eventually } from '../support/eventually.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { type S3Fault, type S3Server, startS3Server } from '../support/servers/s3-server.ts';
import { sampled } from '../support/soak.ts';
import { add } from '../tickets/calls.ts';

/* Clients that close their connection while a file is read for them. */

const parts = new AsyncDisposableStack();
const bytes = randomBytes(4_000_000);
const lines: string[] = [];
let server: S3Server;
let onS3: Gateway;
let onDisk: Gateway;
const urls: Record<string, string> = {};
beforeAll(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'secret' });
  server = parts.use(await startS3Server());
  const BLOBS_URL = `s3://desk/files?endpoint=${encodeURIComponent(server.endpoint)}&region=eu-central-1`;
  const write = (line: string) => lines.push(line);
  const overrides = { log: createLog('info', { write } as unknown as NodeJS.WritableStream) };
  onS3 = parts.use(await startGateway({ env: { BLOBS_URL }, overrides }));
  onDisk = parts.use(await startGateway({ env: { ROLES: 'web' }, overrides }));
  const files = [new File([bytes], 'large.bin')];
  const attachments = [{ file: null }];
  const added = await add(onS3, { attachments, email: { from: 'company@domain.com' } }, { files });
  urls.file = added.ticketMessage.attachments[0]!.downloadUrl;
  urls.mail = added.delivery!.sourceUrl;
  await eventually(async () => (await fetch(urls.mail!, { method: 'HEAD', headers })).status === 200);
  const there = await add(onDisk, { attachments: [{ file: null }] }, { files });
  urls.disk = there.ticketMessage.attachments[0]!.downloadUrl;
});
afterAll(() => parts.disposeAsync());
afterEach(() => server.mend());

/** A picture whose bytes nobody has looked at: what they are is remembered. */
async function addPicture(): Promise<string> {
  const files = [new File([bytes], 'picture.png', { type: 'image/png' })];
  const added = await add(onS3, { attachments: [{ file: null }] }, { files });
  return added.ticketMessage.attachments[0]!.downloadUrl;
}

const headers = { authorization: asOperator };
/** A request whose client can leave. */
function ask(url: string, method = 'GET', range?: string): ClientRequest {
  const req = request(url, { method, headers: { ...headers, ...(range && { range }) } });
  req.on('error', () => {});
  req.on('response', (res) => res.on('error', () => {}));
  return req.end();
}
const levelsAbove = (least: number) =>
  lines.filter((line) => (JSON.parse(line) as { level: number }).level >= least);
const requestsOver = () =>
  lines.filter((line) => (JSON.parse(line) as { msg: string }).msg === 'request').length;

/** The client leaves once S3 has been asked; the log has its line once the gateway knows. */
async function leave(req: ClientRequest): Promise<void> {
  const before = requestsOver();
  req.destroy();
  await eventually(() => requestsOver() > before);
}

const faults: S3Fault[] = ['hang', 'stall', 'trickle'];
type Call = [what: string, name: string, method: string, range?: string];
const calls: Call[] = [
  ['a GET', 'file', 'GET'],
  ['a GET of a range', 'file', 'GET', 'bytes=1000000-'],
  ['a GET of a picture', 'picture', 'GET'],
  ['a HEAD of a picture', 'picture', 'HEAD'],
  ['a GET of a mail', 'mail', 'GET'],
];
const left = faults.flatMap((fault) => calls.map((call): [S3Fault, ...Call] => [fault, ...call]));
test.each(sampled(left, 4))(
  'of S3 whose answers %s, nothing is awaited once the client of %s has left, and nothing is a fault',
  async (fault, _what, name, method, range) => {
    const url = name === 'picture' ? await addPicture() : urls[name]!;
    server.fail('GetObject', fault);
    const asked = server.calls.length;
    const req = ask(url, method, range);
    await eventually(() => server.calls.length > asked);
    await leave(req);
    await expect.poll(server.underWay).toBe(0);
    expect(server.calls.length).toBe(asked + 1);
    expect(levelsAbove(40)).toEqual([]);
    server.mend();
    const again = await fetch(url, { headers });
    expect([again.status, (await again.arrayBuffer()).byteLength > 3_000_000]).toEqual([200, true]);
  },
);

test('a client who leaves between two pieces, or does not read on, leaves nothing open at S3', async () => {
  for (const url of ['file', 'mail'] as const) {
    const req = ask(urls[url]!);
    const [answer] = (await once(req, 'response')) as [IncomingMessage];
    await once(answer, 'readable');
    req.destroy();
    await expect.poll(server.underWay).toBe(0);
  }
  expect(levelsAbove(40)).toEqual([]);
});

test('a client who leaves leaves no file open on a disk', async () => {
  const open = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(onDisk.blobsDirectory);
      } catch {
        return false;
      }
    });
  for (let n = 0; n < 20; n += 1) {
    const req = ask(urls.disk!, 'GET', n % 2 === 0 ? 'bytes=7-' : undefined);
    if (n % 4 < 2) await once(req, 'response');
    else await once(req, 'finish');
    req.destroy();
  }
  await expect.poll(open).toEqual([]);
  expect(levelsAbove(40)).toEqual([]);
});
