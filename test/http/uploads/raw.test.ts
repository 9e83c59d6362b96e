import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { asOperator, asRequester, basic, type Gateway, startGateway } from '../../support/gateway.ts';
import { add, get, upload as uploadByGraphql } from '../../tickets/calls.ts';

const maxBytes = 100_000;
let gateway: Gateway;
beforeAll(async () => {
  const env = {
    MAX_ATTACHMENT_BYTES: String(maxBytes),
    MAX_UPLOADED_BYTES: '2000000',
    MAX_OPEN_UPLOADS: '3',
  };
  gateway = await startGateway({ env: { ROLES: 'web', ...env } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const digestOf = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
interface Told {
  upload: string;
  fileName: string;
  contentType: string;
  byteSize: number;
  sha256: string;
}
const post = (
  body: RequestInit['body'],
  headers: Record<string, string> = {},
  { authorization = asOperator as string | null, path = '/uploads' } = {},
) =>
  fetch(gateway.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/octet-stream',
      ...(authorization === null ? {} : { authorization }),
      ...headers,
    },
    body: body!,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  } as RequestInit);
/** A body without a Content-Length. */
const streamOf = (pieces: number, size: number) =>
  Readable.toWeb(Readable.from(Array.from({ length: pieces }, () => Buffer.alloc(size)))) as ReadableStream;
const problemOf = async (response: Response) => {
  const problem = (await response.json()) as Record<string, unknown>;
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(problem).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    status: response.status,
  });
  return { status: response.status, code: problem.code };
};
const rows = async () => [
  ...(await gateway.sql`
    select (select count(*)::int from uploads) as uploads, (select count(*)::int from blobs) as blobs,
      (select count(*)::int from open_uploads) as open`),
];
const storedFiles = async () =>
  (await readdir(gateway.blobsDirectory, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && /^[0-9a-f]{40}$/.test(entry.name),
  );
/** Uploads take room until they are attached or their day is over. */
const forget = () => gateway.sql`delete from uploads`;

describe('a raw body', () => {
  test('is answered as by uploadFile, and attached by its id', async () => {
    const bytes = randomBytes(50_000);
    const answer = await post(bytes, {
      'content-type': 'text/plain; charset=iso-8859-1',
      'content-disposition': `attachment; filename="zaznam.log"; filename*=UTF-8''z%C3%A1znam.log`,
    });
    expect(answer.status).toBe(201);
    const told = (await answer.json()) as Told;
    expect(told).toEqual({
      upload: expect.any(String),
      fileName: 'záznam.log',
      contentType: 'text/plain; charset=iso-8859-1',
      byteSize: 50_000,
      sha256: digestOf(bytes),
    });
    expect(answer.headers.get('repr-digest')).toBe(
      `sha-256=:${Buffer.from(digestOf(bytes), 'hex').toString('base64')}:`,
    );
    const byGraphql = await uploadByGraphql(gateway, new File(['x'], 'x.txt'), asOperator);
    expect(Object.keys(told).sort()).toEqual(
      Object.keys(byGraphql)
        .filter((key) => key !== '__typename')
        .sort(),
    );

    const added = await add(gateway, { attachments: [{ upload: told.upload }] });
    const [attachment] = added.ticketMessage.attachments;
    expect(attachment).toMatchObject({ fileName: 'záznam.log', sha256: digestOf(bytes) });
    const download = await get(attachment!.downloadUrl, asOperator);
    expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
    expect(download.headers.get('content-type')).toBe('text/plain; charset=iso-8859-1');
  });

  const names: [disposition: string, query: string, name: string][] = [
    ['attachment; filename="=?utf-8?B?cMWZw61sb2hhLnR4dA==?="', '', 'příloha.txt'],
    ['', '', 'attachment-1'],
    ['inline; filename="a.txt"', '', 'a.txt'],
    ['attachment; filename=a.txt', '', 'a.txt'],
    ['attachment; FileName="q\\"uote.txt"', '', 'q_uote.txt'],
    ["attachment; filename*=utf-8'cs'%C5%BElut%C3%BD%20k%C5%AF%C5%88.pdf", '', 'žlutý kůň.pdf'],
    ["attachment; filename*=iso-8859-1''na%EFve.txt; filename=x", '', 'naïve.txt'],
    ["attachment; filename*=utf-8''%ZZ; filename=plain.txt", '', 'plain.txt'],
    ["attachment; filename*=utf-8''caf%E9.txt; filename=cafe.txt", '', 'cafe.txt'],
    ["attachment; filename*=utf-8''..%2F..%2Fetc%2Fpasswd", '', 'passwd'],
    ["attachment; filename*=utf-8''a%00%0D%0Ab%E2%80%AE.txt", '', 'ab.txt'],
    ['attachment; filename="unclosed', '', 'attachment-1'],
    ['', '?fileName=%C5%BElu%C5%A5.txt', 'žluť.txt'],
    ['attachment; filename="header.txt"', '?fileName=query.txt', 'query.txt'],
  ];
  test.each(names)(
    'Content-Disposition %j and query %j make the name %j',
    async (disposition, query, name) => {
      await forget();
      const headers: Record<string, string> =
        disposition === '' ? {} : { 'content-disposition': disposition };
      const answer = await post('x', headers, { path: `/uploads${query}` });
      expect(((await answer.json()) as Told).fileName).toBe(name);
    },
  );

  test('of no bytes is a file as well; a body of unknown length is read to its end', async () => {
    await forget();
    const none = (await (await post(new Uint8Array(0))).json()) as Told;
    expect(none).toMatchObject({ byteSize: 0, sha256: digestOf('') });
    expect(await (await post(streamOf(5, 10_000))).json()).toMatchObject({ byteSize: 50_000 });
  });
});

describe('what is refused leaves nothing', () => {
  const cases: [what: string, run: () => Promise<Response>, status: number, code: string][] = [
    ['a stranger', () => post('x', {}, { authorization: null }), 401, 'UNAUTHENTICATED'],
    [
      'a wrong password',
      () => post('x', {}, { authorization: basic('operator', 'wrong') }),
      401,
      'BAD_CREDENTIAL',
    ],
    ['too large a file by its length', () => post(new Uint8Array(maxBytes + 1)), 413, 'ATTACHMENT_TOO_LARGE'],
    ['too large a file of unknown length', () => post(streamOf(200, 1000)), 413, 'ATTACHMENT_TOO_LARGE'],
    [
      'a form',
      () => post('--x--', { 'content-type': 'multipart/form-data; boundary=x' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a form of fields',
      () => post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a name in the URL that is not UTF-8',
      () => post('x', {}, { path: '/uploads?fileName=caf%E9.txt' }),
      400,
      'BAD_REQUEST',
    ],
    ['a coded body', () => post('x', { 'content-encoding': 'gzip' }), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [
      'another digest',
      () => post('x', { 'repr-digest': `sha-256=:${Buffer.from(digestOf('y'), 'hex').toString('base64')}:` }),
      400,
      'UPLOAD_DIGEST',
    ],
    [
      'text of another origin',
      () => post('x', { 'content-type': 'text/plain', 'sec-fetch-site': 'cross-site' }),
      403,
      'PREFLIGHT_REQUIRED',
    ],
    [
      'text of another origin, by a browser that tells less',
      () => post('x', { 'content-type': 'text/plain', origin: 'https://evil.example' }),
      403,
      'PREFLIGHT_REQUIRED',
    ],
  ];
  test.each(cases)('%s', async (_what, run, status, code) => {
    await forget();
    const before = await rows();
    expect(await problemOf(await run())).toEqual({ status, code });
    expect(await rows()).toEqual(before);
  });

  test('but text comes from our origin when no browser asks, or when it asked first', async () => {
    await forget();
    const type = { 'content-type': 'text/plain' };
    for (const headers of [
      { ...type },
      { ...type, 'sec-fetch-site': 'same-origin' },
      { ...type, origin: gateway.url },
      { ...type, 'sec-fetch-site': 'cross-site', 'graphql-preflight': '1' },
      { ...type, 'sec-fetch-site': 'cross-site', 'content-disposition': 'inline; filename="a.txt"' },
      { 'content-type': 'image/png', 'sec-fetch-site': 'cross-site' },
    ])
      expect((await post('x', headers as Record<string, string>)).status, JSON.stringify(headers)).toBe(201);
  });

  test('another method says which ones there are', async () => {
    for (const [method, path, allow] of [
      ['PUT', '/uploads', 'POST, OPTIONS'],
      ['GET', '/uploads', 'POST, OPTIONS'],
      ['POST', '/uploads/x', 'GET, HEAD, PATCH, DELETE, OPTIONS'],
    ] as const) {
      const answer = await fetch(gateway.url + path, { method, headers: { authorization: asOperator } });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
      const options = await fetch(gateway.url + path, { method: 'OPTIONS' });
      expect([options.status, options.headers.get('allow')]).toEqual([204, allow]);
    }
    expect(
      (await fetch(`${gateway.url}/uploads/a/b`, { headers: { authorization: asOperator } })).status,
    ).toBe(404);
    const options = await fetch(`${gateway.url}/uploads`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('upload-limit')]).toEqual([
      204,
      `max-size=${maxBytes}, max-age=86400`,
    ]);
  });
});

describe('caps of one user', () => {
  /** A request that has sent its head and some bytes. The caller lets it continue. */
  async function begin(authorization: string): Promise<ClientRequest> {
    const req = request(`${gateway.url}/uploads`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/octet-stream' },
    });
    req.on('error', () => {});
    req.write('some');
    await once(req, 'socket');
    return req;
  }

  test('as many at a time as are allowed; another user is not held up', async () => {
    await forget();
    const before = await storedFiles();
    const held = await Promise.all([1, 2, 3].map(() => begin(asRequester)));
    // Once their first bytes are stored, they are counted.
    await expect.poll(storedFiles).toHaveLength(before.length + 3);
    const refused = await post('x', {}, { authorization: asRequester });
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await problemOf(refused)).toEqual({ status: 429, code: 'TOO_MANY_UPLOADS' });
    expect((await post('x')).status).toBe(201);
    const [first, ...others] = held;
    first!.end('more');
    const [answer] = (await once(first!, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(201);
    answer.resume();
    expect((await post('x', {}, { authorization: asRequester })).status).toBe(201);
    for (const req of others) req.destroy();
  });

  test('as many bytes as are allowed until they are attached, by either door', async () => {
    await forget();
    const uploads: string[] = [];
    for (;;) {
      const answer = await post(new Uint8Array(90_000));
      if (answer.status !== 201) {
        expect(await problemOf(answer)).toEqual({ status: 413, code: 'ATTACHMENT_TOO_LARGE' });
        break;
      }
      uploads.push(((await answer.json()) as Told).upload);
    }
    expect(uploads).toHaveLength(22);
    const byGraphql = await uploadByGraphql(gateway, new File([new Uint8Array(90_000)], 'x'), asOperator);
    expect(byGraphql).toMatchObject({ code: 'ATTACHMENT_TOO_LARGE' });
    expect((await post('x', {}, { authorization: asRequester })).status).toBe(201);
    await add(gateway, { attachments: uploads.slice(0, 5).map((upload) => ({ upload })) });
    expect((await post(new Uint8Array(90_000))).status).toBe(201);
    await forget();
  });

  test.each(['POST /uploads', 'uploadFile'])(
    'as many bytes as are allowed although several files end at once (%s)',
    async (door) => {
      await forget();
      const bytes = new Uint8Array(90_000);
      for (let sent = 0; sent < 21; sent += 1) expect((await post(bytes)).status).toBe(201);
      const before = await storedFiles();
      const isTaken = async () =>
        door === 'uploadFile'
          ? 'upload' in (await uploadByGraphql(gateway, new File([bytes], 'x'), asOperator))
          : (await post(bytes)).status === 201;
      const taken = await Promise.all([isTaken(), isTaken(), isTaken()]);
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await rows()).toMatchObject([{ uploads: 22 }]);
      await expect.poll(storedFiles).toHaveLength(before.length + 1);
      await forget();
    },
  );
});

test('a sender that breaks off leaves no row and no bytes, and the gateway serves on', async () => {
  await forget();
  const before = await rows();
  const filesBefore = (await storedFiles()).length;
  for (const share of [1, 50_000, 99_999]) {
    const req = request(`${gateway.url}/uploads`, {
      method: 'POST',
      headers: { authorization: asOperator, 'content-type': 'x/y', 'content-length': '100000' },
    });
    req.on('error', () => {});
    await new Promise<void>((resolve) => req.write(Buffer.alloc(share), () => resolve()));
    // Waits until some of it is stored, although its row does not say so yet.
    await eventually(async () => (await storedFiles()).length > filesBefore);
    req.destroy();
    await eventually(async () => (await storedFiles()).length === filesBefore);
  }
  expect(await rows()).toEqual(before);
  expect((await post('x')).status).toBe(201);
});
