import { createHash, randomBytes } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatewayProcess, startGatewayProcess } from '../../crash/support/gateway-process.ts';
import { openTcpDoor } from '../../crash/support/tcp-door.ts';
import { eventually } from '../../support/eventually.ts';
import { asOperator, type Gateway, startGateway } from '../../support/gateway.ts';
import { startS3Server } from '../../support/servers/s3-server.ts';

/* A process that sleeps past its lease of an upload, and wakes up when another has gone on with it. */

const size = 12_000_000;
const whole = randomBytes(size);
const parts = new AsyncDisposableStack();
const desks: Record<string, { sleeper: GatewayProcess; other: Gateway }> = {};
beforeAll(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'secret' });
  const server = parts.use(await startS3Server());
  const bucket = `s3://desk/files?endpoint=${encodeURIComponent(server.endpoint)}&region=eu-central-1`;
  for (const [kind, place] of Object.entries({ disk: undefined, S3: bucket })) {
    const other = parts.use(
      await startGateway({ env: { ROLES: 'web', ...(place && { BLOBS_URL: place }) } }),
    );
    const door = parts.use(await openTcpDoor(other.database.connection));
    const env = {
      DATABASE_URL: door.urlOf(other.database.connection),
      DATABASE_OWNER_URL: door.urlOf(other.database.ownerConnection),
      SMTP_URL: 'smtp://127.0.0.1:9',
      BLOBS_URL: place ?? pathToFileURL(other.blobsDirectory).href,
      ROLES: 'web',
    };
    desks[kind] = { sleeper: parts.use(await startGatewayProcess(env)), other };
  }
});
afterAll(() => parts.disposeAsync());

const authorization = asOperator;
const patch = (offset: number, complete: boolean) => ({
  authorization,
  'content-type': 'application/partial-upload',
  'upload-offset': String(offset),
  'upload-complete': complete ? '?1' : '?0',
});

async function begin({ url }: Gateway): Promise<string> {
  const headers = {
    authorization,
    'content-type': 'x/y',
    'upload-complete': '?0',
    'upload-length': `${size}`,
  };
  const answer = await fetch(`${url}/uploads`, { method: 'POST', headers, body: whole.subarray(0, 100_000) });
  return new URL(answer.headers.get('location')!).pathname;
}

/** The status of a request's answer; undefined when its connection was closed instead. */
const answerTo = (req: ClientRequest) =>
  new Promise<number | undefined>((resolve) => {
    req.once('response', (answer: IncomingMessage) => resolve(answer.resume().statusCode));
    req.once('close', () => resolve(undefined));
  });

/** What the sender of a sleeping process does once that is awake again. */
const sequels: [string, (req: ClientRequest) => void][] = [
  ['sends more than it announced', (req) => req.end(randomBytes(size))],
  ['sends other bytes to the end of the file', (req) => req.end(randomBytes(size - 6_000_000))],
  ['sends some other bytes and goes away', (req) => req.write(randomBytes(50_000), () => req.destroy())],
];

test.each(['disk', 'S3'].flatMap((kind) => sequels.map(([what, sequel]) => [kind, what, sequel] as const)))(
  'on %s, a process that slept while its upload went on elsewhere alters nothing when its sender %s',
  async (kind, _what, sequel) => {
    const { sleeper, other } = desks[kind]!;
    const path = await begin(other);
    const url = new URL(path, sleeper.url);
    const req = request(url, { method: 'PATCH', headers: patch(100_000, true) });
    req.on('error', () => {});
    const told = answerTo(req);
    await new Promise<void>((resolve) => req.write(whole.subarray(100_000, 6_000_000), () => resolve()));
    await eventually(
      async () => (await other.sql`select from open_uploads where writer is not null`).length > 0,
    );
    sleeper.child.kill('SIGSTOP');
    await other.sql`update open_uploads set lease_until = now() - interval '1 second'`;

    const here = new URL(path, other.url);
    const head = await fetch(here, { method: 'HEAD', headers: { authorization } });
    const offset = Number(head.headers.get('upload-offset'));
    expect([head.status, offset >= 100_000]).toEqual([204, true]);
    const next = 9_000_000;
    const more = { method: 'PATCH', headers: patch(offset, false), body: whole.subarray(offset, next) };
    const acknowledged = await fetch(here, more);
    expect([acknowledged.status, acknowledged.headers.get('upload-offset')]).toEqual([204, String(next)]);

    sleeper.child.kill('SIGCONT');
    sequel(req);
    const status = await told;
    expect([undefined, 503]).toContain(status);
    const last = { method: 'PATCH', headers: patch(next, true), body: whole.subarray(next) };
    const answer = await fetch(here, last);
    expect([answer.status, answer.headers.get('upload-offset')]).toEqual([201, String(size)]);
    const sha256 = createHash('sha256').update(whole).digest('hex');
    expect(await answer.json()).toMatchObject({ byteSize: size, sha256 });
    const [stored] = await other.sql`select key from blobs where sha256 = ${Buffer.from(sha256, 'hex')}`;
    expect(stored).toBeDefined();
    expect(sleeper.output.filter((line) => line.includes('"level":50'))).toEqual([]);
  },
);
