/*
 * The gateway behind Debian's nginx with the documented file (docs/deploy/nginx.conf): a query, the old
 * endpoint, an upload of 1 GiB, a subscription, a download, the caller's address, TLS.
 *
 *   npm run test:proxy [-- --mebibytes 1024]
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startGatewayProcess } from '../crash/support/gateway-process.ts';
import { createProductionDesk } from '../crash/support/production-desk.ts';
import { check, runInFolder, tell } from '../crash/support/verdict.ts';
import { startSinkProcess } from '../support/servers/smtp-sink-process.ts';
import { type Nginx, startNginx } from './nginx.ts';

const { values } = parseArgs({ options: { mebibytes: { type: 'string', default: '1024' } } });
const mebibytes = Number(values.mebibytes);

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Readable;
  /** Address of loopback that the caller connects from. */
  readonly from?: string;
}

/** Executes an operation through the proxy; gives its `data`. */
type Graphql = <T>(query: string, variables?: object) => Promise<T>;

async function ask(nginx: Nginx, path: string, asked: Asked = {}): Promise<IncomingMessage> {
  const req = request({
    ...{ host: '127.0.0.1', port: nginx.httpsPort, path, method: asked.method ?? 'GET' },
    ...{ ca: nginx.certificate, servername: 'desk.example.com', localAddress: asked.from ?? '127.0.0.1' },
    headers: { Host: 'desk.example.com', ...asked.headers },
  });
  const answered = once(req, 'response');
  if (asked.body instanceof Readable) await pipeline(asked.body, req);
  else req.end(asked.body);
  const [res] = (await answered) as [IncomingMessage];
  return res;
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** A file of that many MiB that nothing compresses and nobody holds in memory, and its digest. */
function largeFile(hash: ReturnType<typeof createHash>): Readable {
  const piece = Buffer.alloc(1 << 20);
  return Readable.from(
    (function* () {
      for (let n = 0; n < mebibytes; n += 1) {
        piece.writeUInt32LE((n * 2_654_435_761) >>> 0, (n * 977) % (piece.length - 4));
        const copy = Buffer.from(piece);
        hash.update(copy);
        yield copy;
      }
    })(),
    { objectMode: false, highWaterMark: 1 << 20 },
  );
}

async function main(directory: string): Promise<void> {
  await using sink = await startSinkProcess(join(directory, 'mails'));
  await using desk = await createProductionDesk(directory, sink.url);
  const limit = String(mebibytes * 1024 * 1024);
  await using gateway = await startGatewayProcess({
    ...desk.env,
    ...{ TRUST_PROXY: '1', PUBLIC_URL: 'https://desk.example.com', NODE_ENV: 'production' },
    ...{ MAX_ATTACHMENT_BYTES: limit, MAX_MESSAGE_ATTACHMENTS_BYTES: limit, LOG_LEVEL: 'info' },
  });
  await using nginx = await startNginx(directory, [new URL(gateway.url).host]);
  const signedIn = { Authorization: desk.credentials.token };
  const json = { ...signedIn, 'Content-Type': 'application/json' };
  const graphql: Graphql = async <T>(query: string, variables: object = {}) => {
    const body = JSON.stringify({ query, variables });
    const res = await ask(nginx, '/graphql', { method: 'POST', headers: json, body });
    return (JSON.parse(await textOf(res)) as { data: T }).data;
  };

  const redirected = plainRequest({
    host: '127.0.0.1',
    port: nginx.httpPort,
    path: '/api',
    headers: { Host: 'desk.example.com' },
  });
  redirected.end();
  const [moved] = (await once(redirected, 'response')) as [IncomingMessage];
  check('plain HTTP', [moved.statusCode, moved.headers.location], [308, 'https://desk.example.com/api']);
  moved.resume();
  check('a query over TLS', await graphql('{ viewer { person { name } } }'), {
    viewer: { person: { name: 'Olga Operator' } },
  });
  const old = await ask(nginx, '//api/Tickets//NewMessage', {
    ...{
      method: 'POST',
      headers: json,
      body: JSON.stringify({ TicketREF: 'INC-000001', Message: 'Through nginx' }),
    },
  });
  check('the old endpoint, its slashes doubled', old.statusCode, 200);
  old.resume();

  await watch(nginx, signedIn, graphql);
  await uploadAndDownload(nginx, signedIn, graphql);

  await refuseSignIn(nginx, gateway.output);
  const metrics = await ask(nginx, '/metrics', { headers: signedIn });
  check('metrics through the proxy', metrics.statusCode, 404);
  metrics.resume();
}

/** The log has the address that the caller connected from, neither nginx's nor a forged one. */
async function refuseSignIn(nginx: Nginx, log: readonly string[]): Promise<void> {
  const denied = await ask(nginx, '/graphql', {
    ...{ method: 'POST', body: '{"query":"{__typename}"}', from: '127.0.0.7' },
    headers: {
      ...{ 'Content-Type': 'application/json', Authorization: 'Bearer nonsense' },
      ...{ 'X-Forwarded-For': '203.0.113.9', Forwarded: 'for=203.0.113.9', 'X-Real-IP': '203.0.113.9' },
    },
  });
  check('a wrong token', denied.statusCode, 401);
  denied.resume();
  const isRefusal = (line: string) => line.includes('"msg":"sign-in refused"');
  for (let tries = 0; tries < 100 && !log.some(isRefusal); tries += 1) await sleep(50);
  const addresses = log.filter(isRefusal).map((line) => (JSON.parse(line) as { address: string }).address);
  check('"sign-in refused" has the address', addresses, ['127.0.0.7']);
  check(
    'lines with the forged address',
    log.filter((line) => line.includes('203.0.113.9')),
    [],
  );
}

/** An event comes while its stream is open, and not when a buffer of the proxy's is full. */
async function watch(nginx: Nginx, headers: Record<string, string>, graphql: Graphql) {
  const query = 'subscription { ticketEvents(ticket: {reference: "INC-000002"}) { cursor type } }';
  const stream = await ask(nginx, '/graphql', {
    ...{ method: 'POST', body: JSON.stringify({ query }) },
    headers: { ...headers, 'Content-Type': 'application/json', Accept: 'text/event-stream' },
  });
  check(
    'a subscription',
    [stream.statusCode, stream.headers['content-type']?.split(';')[0]],
    [200, 'text/event-stream'],
  );
  const events: string[] = [];
  const seen = (async () => {
    let text = '';
    for await (const chunk of stream) {
      text += chunk;
      events.push(...[...text.matchAll(/"type":"([A-Z_]+)"/g)].map(([, type]) => type!));
      if (events.length > 0) return;
    }
  })();
  await graphql('mutation ($i: AddTicketMessageInput!) { addTicketMessage(input: $i) { __typename } }', {
    i: { ticket: { reference: 'INC-000002' }, body: 'Watched' },
  });
  await seen;
  check('its event, while the stream is open', events[0], 'MESSAGE_ADDED');
  stream.destroy();
}

interface Added {
  readonly addTicketMessage: { readonly ticketMessage: { readonly attachments: { downloadUrl: string }[] } };
}

async function uploadAndDownload(nginx: Nginx, headers: Record<string, string>, graphql: Graphql) {
  const hash = createHash('sha256');
  const began = performance.now();
  const res = await ask(nginx, '/uploads?fileName=film.bin', {
    method: 'POST',
    headers: {
      ...headers,
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(mebibytes << 20),
    },
    body: largeFile(hash),
  });
  const seconds = (performance.now() - began) / 1000;
  const upload = JSON.parse(await textOf(res));
  const digest = hash.digest('hex');
  check(`an upload of ${mebibytes} MiB`, [res.statusCode, upload.sha256], [201, digest]);
  tell(`     ${(mebibytes / seconds).toFixed(0)} MiB a second`);
  const { addTicketMessage } = await graphql<Added>(
    `mutation ($i: AddTicketMessageInput!) { addTicketMessage(input: $i) {
      ... on AddTicketMessagePayload { ticketMessage { attachments { downloadUrl } } }
      ... on UserError { code message } } }`,
    {
      i: { ticket: { reference: 'INC-000003' }, body: 'The film', attachments: [{ upload: upload.upload }] },
    },
  );
  const address = new URL(addTicketMessage.ticketMessage.attachments[0]!.downloadUrl);
  check("the download's origin", address.origin, 'https://desk.example.com');
  const got = createHash('sha256');
  const download = await ask(nginx, address.pathname + address.search, { headers });
  await pipeline(download, got);
  check('its bytes', [download.statusCode, got.digest('hex')], [200, digest]);
  const part: IncomingHttpHeaders = (
    await ask(nginx, address.pathname + address.search, { headers: { ...headers, Range: 'bytes=0-9' } })
  ).headers;
  check('a part of it', part['content-range'], `bytes 0-9/${mebibytes << 20}`);
}

await runInFolder('proxy', main);
