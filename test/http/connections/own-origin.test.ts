import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOperator, type Gateway, startGateway } from '../../support/gateway.ts';

/* The origin by which a caller has reached the gateway: in our links, and for pages of our own. */

/** Two processes of a desk: `direct`, and `proxied` behind a trusted proxy with an address of its own. */
let direct: Gateway;
let proxied: Gateway;
beforeAll(async () => {
  direct = await startGateway({ env: { ROLES: 'web', MAX_OPEN_UPLOADS: '100' } });
  const BLOBS_URL = pathToFileURL(direct.blobsDirectory).href;
  const env = { ROLES: 'web', MAX_OPEN_UPLOADS: '100', BLOBS_URL, TRUST_PROXY: '1' };
  proxied = await startGateway({ env, database: direct.database });
});
afterAll(async () => {
  await proxied[Symbol.asyncDispose]();
  await direct[Symbol.asyncDispose]();
});

async function upload({ url }: Gateway, headers: Record<string, string>) {
  const req = request(`${url}/uploads`, {
    method: 'POST',
    headers: { authorization: asOperator, ...headers },
  });
  const answered = once(req, 'response') as Promise<[IncomingMessage]>;
  req.end('text');
  const [res] = await answered;
  res.resume();
  await once(res, 'end');
  return { status: res.statusCode, location: res.headers.location };
}

/** What a browser over plain HTTP says of the page that sends a text: it has no Sec-Fetch-Site there. */
const fromPage = (origin: string) => ({ origin, 'content-type': 'text/plain' });
/** Its answer has the address of the upload. */
const resumable = { 'content-type': 'x/y', 'upload-complete': '?0', 'upload-draft-interop-version': '6' };

const names: [by: string, headers: Record<string, string>, origin: string][] = [
  ['a name', { host: 'desk.example:4000' }, 'http://desk.example:4000'],
  [
    'a name with an underscore, as in a network of containers',
    { host: 'my_desk:4000' },
    'http://my_desk:4000',
  ],
  ['a name in capitals', { host: 'DESK' }, 'http://desk'],
  ['a name and an empty port', { host: 'desk.example:' }, 'http://desk.example'],
  ['the usual port', { host: 'desk.example:80' }, 'http://desk.example'],
  ['an address', { host: '[::1]:4000' }, 'http://[::1]:4000'],
];
const forwarded: typeof names = [
  ...names,
  ['an upstream’s name', { host: 'up_stream', 'x-forwarded-host': 'desk.example:80' }, 'http://desk.example'],
  ['TLS', { 'x-forwarded-host': 'desk.example:443', 'x-forwarded-proto': 'HTTPS' }, 'https://desk.example'],
  ['two proxies', { 'x-forwarded-host': 'a.example:81, b.example' }, 'http://a.example:81'],
];
const cases = [
  ...names.map((each) => ['directly', ...each] as const),
  ...forwarded.map((each) => ['through a proxy', ...each] as const),
];

test.each(cases)(
  'reached %s by %s, its links and its own pages have that origin',
  async (way, _by, headers, own) => {
    const gateway = way === 'directly' ? direct : proxied;
    const { location } = await upload(gateway, { ...resumable, ...headers });
    expect(location!.slice(0, own.length + '/uploads/'.length)).toBe(`${own}/uploads/`);
    expect((await upload(gateway, { ...fromPage(own), ...headers })).status).toBe(201);
    for (const other of [`${own}0`, own.replace('://', '://x'), own.replace(/^http/, 'ftp'), 'null'])
      expect([other, (await upload(gateway, { ...fromPage(other), ...headers })).status]).toEqual([
        other,
        403,
      ]);
  },
);

test.each(['a b', 'a"b', "a'b", 'a&b', 'a/b', 'u@b', 'a?b', 'a#b', 'a,b', '$(a)', '<b>', 'a:99999'])(
  'a forwarded host %s ends up in no link',
  async (host) => {
    const { location } = await upload(proxied, { ...resumable, 'x-forwarded-host': host });
    // A comma ends the first of several values.
    expect(location).toMatch(host === 'a,b' ? /^http:\/\/a\/uploads\// : /^http:\/\/localhost\/uploads\//);
  },
);

test.each([
  ['https://Desk.example.com:443/help', 'https://desk.example.com'],
  ['/', 'http://desk.example'],
])(
  'with PUBLIC_URL=%s, pages of %s are its own, and those of the name that it was reached by',
  async (PUBLIC_URL, page) => {
    const BLOBS_URL = pathToFileURL(direct.blobsDirectory).href;
    const env = { ROLES: 'web', MAX_OPEN_UPLOADS: '100', BLOBS_URL, PUBLIC_URL };
    await using gateway = await startGateway({ env, database: direct.database });
    const host = 'desk.example';
    for (const own of [page, `http://${host}`])
      expect([own, (await upload(gateway, { ...fromPage(own), host })).status]).toEqual([own, 201]);
    expect((await upload(gateway, { ...fromPage('https://desk.example'), host })).status).toBe(403);
  },
);
