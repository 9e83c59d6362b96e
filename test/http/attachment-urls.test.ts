import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { add, ask, get } from '../tickets/calls.ts';

/** Two gateways on one desk, whose clock the test turns. */
let gateway: Gateway;
let other: Gateway;
let ahead = 0;
const overrides = { now: () => new Date(Date.now() + ahead * 1000) };
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' }, overrides });
  const BLOBS_URL = pathToFileURL(gateway.blobsDirectory).href;
  other = await startGateway({ env: { ROLES: 'web', BLOBS_URL }, overrides, database: gateway.database });
});
afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

interface Signed {
  id: string;
  url: string | null;
  downloadUrl: string | null;
}
const attach = async (file: File, input: object = {}): Promise<string> => {
  const added = await add(gateway, { attachments: [{ file: null }], ...input }, { files: [file] });
  return added.ticketMessage.attachments[0]!.id;
};
const sign = (
  id: string,
  authorization: string,
  expiresInSeconds?: number,
  from = gateway,
): Promise<Signed> =>
  ask<Signed>(
    from,
    'query ($id: ID!, $for: Int) { node(id: $id) { ... on Attachment { id downloadUrl ' +
      'url(expiresInSeconds: $for) } } }',
    { id, ...(expiresInSeconds === undefined ? {} : { for: expiresInSeconds }) },
    { authorization },
  );
/** Everything in an answer that does not differ between requests. */
const told = async (response: Response) => ({
  status: response.status,
  headers: [...response.headers].filter(([name]) => !/^(date|x-request-id)$/.test(name)),
  text: await response.text(),
});
const missing = async () =>
  told(await get(`${gateway.url}/attachments/${btoa('Attachment:999999')}`, asOperator));

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('a signed address', () => {
  test('needs no credential, carries the file’s name, and is valid for five minutes by default', async () => {
    const id = await attach(new File(['hello'], 'příloha 1.txt', { type: 'text/plain' }));
    const { url } = await sign(id, asRequester);
    expect(new URL(url!).pathname).toBe(
      `/attachments/${encodeURIComponent(id)}/${encodeURIComponent('příloha 1.txt')}`,
    );
    const answer = await get(url!, null);
    expect([answer.status, await answer.text()]).toEqual([200, 'hello']);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/plain',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'cross-origin',
    });
    ahead = 270;
    expect((await get(url!, null)).status).toBe(200);
    ahead = 301;
    expect(await told(await get(url!, null))).toEqual(await missing());
    ahead = 0;
  });

  test('is known to every process of the desk', async () => {
    const { url } = await sign(await attach(new File(['hello'], 'a.txt')), asRequester);
    const there = new URL(url!);
    there.host = new URL(other.url).host;
    expect(await (await get(there.href, null)).text()).toBe('hello');
  });

  test('forged, cut, widened or made for another file or person, it is answered as not found', async () => {
    const id = await attach(new File(['hello'], 'a.txt'));
    const another = await attach(new File(['other'], 'b.txt'));
    const { url } = await sign(id, asRequester);
    const changed = (change: (url: URL) => void) => {
      const copy = new URL(url!);
      change(copy);
      return copy.href;
    };
    const signature = new URL(url!).searchParams.get('signature')!;
    const forged = [
      changed((u) => u.searchParams.set('signature', 'A'.repeat(43))),
      changed((u) => u.searchParams.set('signature', '')),
      changed((u) => u.searchParams.set('signature', signature.slice(0, -2))),
      changed((u) => u.searchParams.set('signature', `${signature}AAAA`)),
      changed((u) => u.searchParams.append('signature', signature)),
      changed((u) => u.searchParams.delete('signature')),
      changed((u) => u.searchParams.set('expires', String(Math.floor(Date.now() / 1000) + 3000))),
      changed((u) => u.searchParams.delete('expires')),
      changed((u) => u.searchParams.set('viewer', '1')),
      changed((u) => u.searchParams.set('viewer', '0x1')),
      changed((u) => {
        u.pathname = u.pathname.replace(encodeURIComponent(id), encodeURIComponent(another));
      }),
      changed((u) => {
        u.pathname += '/more';
      }),
    ];
    const expected = await missing();
    expect(expected.status).toBe(404);
    for (const address of forged) expect(await told(await get(address, null)), address).toEqual(expected);
    // A valid credential of another user does not make an invalid signature valid.
    expect(await told(await get(forged[0]!, asOperator))).toEqual(expected);
  });

  test('ends when its viewer loses access: redacted, made private, reassigned, viewer disabled', async () => {
    const expected = await missing();
    const open = async () => {
      const id = await attach(new File(['hello'], 'a.txt'));
      const { url } = await sign(id, asRequester);
      expect((await get(url!, null)).status).toBe(200);
      return { id, url: url!, row: Number(atob(id).slice('Attachment:'.length)) };
    };
    const { sql } = gateway;

    const redacted = await open();
    await ask(
      gateway,
      'mutation ($input: RedactAttachmentInput!) { redactAttachment(input: $input) { __typename } }',
      { input: { attachment: redacted.id } },
    );
    expect(await told(await get(redacted.url, null))).toEqual(expected);
    expect(await sign(redacted.id, asRequester)).toMatchObject({ url: null, downloadUrl: null });

    const moved = await open();
    const [ticket] = await sql`
      update tickets set requester_id = (select id from users where login = 'operator')
      where id = (select m.ticket_id from messages m join attachments a on a.message_id = m.id
      where a.id = ${moved.row})
      returning id`;
    expect(await told(await get(moved.url, null))).toEqual(expected);
    await sql`update tickets set requester_id = (select id from users where login = 'requester')
      where id = ${ticket!.id}`;

    const left = await open();
    await sql`update users set disabled_at = now() where login = 'requester'`;
    expect(await told(await get(left.url, null))).toEqual(expected);
    await sql`update users set disabled_at = null where login = 'requester'`;
    expect((await get(left.url, null)).status).toBe(200);
  });

  test('of a private note is the operator’s alone', async () => {
    const id = await attach(new File(['secret'], 'note.txt'), { visibility: 'PRIVATE' });
    const { url } = await sign(id, asOperator);
    expect(await (await get(url!, null)).text()).toBe('secret');
    const forged = new URL(url!);
    const [requester] = await gateway.sql`select id from users where login = 'requester'`;
    forged.searchParams.set('viewer', String(requester!.id));
    expect(await told(await get(forged.href, null))).toEqual(await missing());
  });

  test('is asked for from one second to an hour', async () => {
    const id = await attach(new File(['hello'], 'a.txt'));
    for (const seconds of [0, -1, 3601]) {
      const answer = await gateway.graphql(
        `query ($id: ID!) { node(id: $id) { ... on Attachment { url(expiresInSeconds: ${seconds}) } } }`,
        { id },
      );
      expect(answer.errors?.[0]).toMatchObject({
        path: ['node', 'url'],
        extensions: { code: 'INVALID_INPUT' },
      });
    }
    const { url } = await sign(id, asOperator, 3600);
    ahead = 3599;
    expect((await get(url!, null)).status).toBe(200);
    ahead = 0;
  });
});

test.each([
  ['https://desk.example.com/help/', 'https://desk.example.com/help/attachments/'],
  ['https://例え.example:443', 'https://xn--r8jz45g.example/attachments/'],
  ['/', '/attachments/'],
])('PUBLIC_URL=%s makes addresses begin with %s', async (PUBLIC_URL, beginning) => {
  const BLOBS_URL = pathToFileURL(gateway.blobsDirectory).href;
  const env = { ROLES: 'web', PUBLIC_URL, BLOBS_URL };
  await using desk = await startGateway({ env, database: gateway.database });
  const added = await add(desk, { attachments: [{ file: null }] }, { files: [new File(['x'], 'x.txt')] });
  const { url, downloadUrl } = await sign(added.ticketMessage.attachments[0]!.id, asOperator, 60, desk);
  expect([url!.startsWith(beginning), downloadUrl!.startsWith(beginning)]).toEqual([true, true]);
  const here = desk.url + url!.slice(beginning.length - '/attachments/'.length);
  expect(await (await get(here, null)).text()).toBe('x');
});

describe('shown in place are pictures by their own bytes', () => {
  const cases: [name: string, type: string, bytes: Buffer | string, disposition: string, served: string][] = [
    ['a.png', 'image/png', png, 'inline', 'image/png'],
    ['screenshot', 'application/octet-stream', png, 'inline', 'image/png'],
    ['a.jpg', 'image/jpeg', png, 'inline', 'image/png'],
    ['a.gif', 'image/gif', 'GIF89a\x01\0\x01\0\0\0\0;', 'inline', 'image/gif'],
    ['a.png', 'image/png', '<html><script>alert(1)</script>', 'attachment', 'image/png'],
    [
      'a.svg',
      'image/svg+xml',
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'attachment',
      'application/octet-stream',
    ],
    ['a.svg', 'image/svg+xml', png, 'attachment', 'application/octet-stream'],
    ['a.html', 'image/png', png, 'attachment', 'image/png'],
    ['a.png', 'text/html; charset=utf-8', png, 'attachment', 'application/octet-stream'],
    ['a.pdf', 'application/pdf', '%PDF-1.7\n', 'attachment', 'application/octet-stream'],
    ['a.xml', 'application/rss+xml', '<rss/>', 'attachment', 'application/octet-stream'],
    ['a.js', 'text/x-javascript', 'alert(1)', 'attachment', 'application/octet-stream'],
    ['a.js', 'text/javascript1.5', 'alert(1)', 'attachment', 'application/octet-stream'],
    ['a.js', 'application/x-ecmascript', 'alert(1)', 'attachment', 'application/octet-stream'],
    ['a.js', 'text/jscript; charset=utf-8', 'alert(1)', 'attachment', 'application/octet-stream'],
    ['a.json', 'application/json', '{}', 'attachment', 'application/json'],
    ['a.txt', 'text/plain', 'text', 'attachment', 'text/plain'],
    ['empty.png', 'image/png', '', 'attachment', 'image/png'],
  ];
  test.each(cases)('%s of type %s', async (name, type, bytes, disposition, served) => {
    const id = await attach(new File([Buffer.from(bytes as string)], name, { type }));
    const { url, downloadUrl } = await sign(id, asOperator);
    for (const [address, authorization] of [
      [url!, null],
      [downloadUrl!, asOperator],
    ] as const) {
      const { headers } = await get(address, authorization);
      expect(headers.get('content-disposition')).toMatch(new RegExp(`^${disposition}; filename="${name}"`));
      expect(headers.get('content-type')).toBe(served);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
    }
  });
});

describe('conditions', () => {
  const digits = '0123456789';
  const etag = '"84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"';
  const cases: [headers: Record<string, string>, status: number, body: string][] = [
    [{}, 200, digits],
    [{ 'if-none-match': etag }, 304, ''],
    [{ 'if-none-match': `"x", W/${etag}` }, 304, ''],
    [{ 'if-none-match': '*' }, 304, ''],
    [{ 'if-none-match': '"x"' }, 200, digits],
    [{ 'if-match': etag }, 200, digits],
    [{ 'if-match': `W/${etag}` }, 412, 'The file does not match the If-Match header\n'],
    [{ 'if-match': '"x"' }, 412, 'The file does not match the If-Match header\n'],
    [{ range: 'bytes=2-3', 'if-range': etag }, 206, '23'],
    [{ range: 'bytes=2-3', 'if-range': '"x"' }, 200, digits],
    [{ range: 'bytes=2-3', 'if-range': `W/${etag}` }, 200, digits],
    [{ range: 'bytes=2-3', 'if-range': 'Sat, 28 Nov 2026 00:00:00 GMT' }, 200, digits],
    [{ range: 'bytes=2-3', 'if-none-match': etag }, 304, ''],
  ];
  let address: string;
  beforeAll(async () => {
    address = (await sign(await attach(new File([digits], 'digits.txt')), asOperator, 3600)).url!;
  });
  test.each(cases)('%j is %i', async (headers, status, body) => {
    const response = await get(address, null, { headers });
    expect([response.status, await response.text()]).toEqual([status, body]);
    expect(response.headers.get('etag')).toBe(etag);
  });
});

test('neither credential nor signature gets 401, and a token without the read scope gets none', async () => {
  const id = await attach(new File(['x'], 'x.txt'));
  expect((await get(`${gateway.url}/attachments/${id}/x.txt`, null)).status).toBe(401);
  expect(await (await get(`${gateway.url}/attachments/${id}/x.txt`, asOperator)).text()).toBe('x');
});
