import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nextArrival, runExclusively } from '../../../src/tickets/uploads/run-exclusively.ts';
import { countWaiting } from '../../support/database.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { sampled } from '../../support/soak.ts';
import { add, get } from '../../tickets/calls.ts';

const maxBytes = 4_000_000;
let gateway: Gateway;
/** Another process of the desk. */
let other: Gateway;
beforeAll(async () => {
  const env = { ROLES: 'web', MAX_ATTACHMENT_BYTES: String(maxBytes), MAX_OPEN_UPLOADS: '30' };
  gateway = await startGateway({ env });
  const BLOBS_URL = pathToFileURL(gateway.blobsDirectory).href;
  other = await startGateway({ env: { ...env, BLOBS_URL }, database: gateway.database });
});
afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
interface Told {
  upload: string;
  byteSize: number;
  sha256: string;
  fileName: string;
}

const call = (
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Uint8Array,
  { authorization = asOperator, at = gateway } = {},
) =>
  fetch(new URL(path, at.url), {
    method,
    headers: { authorization, ...headers },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
const create = (headers: Record<string, string>, body: Uint8Array) =>
  call('POST', '/uploads', { 'content-type': 'x/y', ...headers }, body);
const append = (
  path: string,
  offset: number,
  complete: boolean,
  body: Uint8Array,
  headers = {},
  options = {},
) =>
  call(
    'PATCH',
    path,
    {
      'content-type': 'application/partial-upload',
      'upload-offset': String(offset),
      'upload-complete': complete ? '?1' : '?0',
      ...headers,
    },
    body,
    options,
  );
const stateOf = async (path: string, options = {}) => {
  const { status, headers } = await call('HEAD', path, {}, undefined, options);
  const field = (name: string) => headers.get(`upload-${name}`);
  return { status, offset: field('offset'), complete: field('complete'), length: field('length') };
};
const pathOf = (answer: Response) => new URL(answer.headers.get('location')!).pathname;
const begun = async (size?: number) =>
  pathOf(
    await create(
      { 'upload-complete': '?0', ...(size === undefined ? {} : { 'upload-length': String(size) }) },
      new Uint8Array(0),
    ),
  );
const problemOf = async (answer: Response) => {
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  return { status: answer.status, ...((await answer.json()) as object) };
};

/** A request of which some has been sent and the rest is not. */
async function half(
  method: string,
  path: string,
  headers: Record<string, string | number>,
  some: Uint8Array,
  at = gateway,
): Promise<ClientRequest> {
  const req = request(new URL(path, at.url), { method, headers: { authorization: asOperator, ...headers } });
  req.on('error', () => {});
  await new Promise<void>((resolve) => req.write(some, () => resolve()));
  return req;
}
const closed = (req: ClientRequest) =>
  req.destroyed ? Promise.resolve() : new Promise<void>((resolve) => req.once('close', resolve));

describe('an upload', () => {
  test('in one request is answered as without the draft, and says that it is whole', async () => {
    const bytes = randomBytes(100_000);
    const answer = await create(
      { 'upload-complete': '?1', 'content-disposition': 'inline; filename="a.bin"' },
      bytes,
    );
    expect([answer.status, answer.headers.get('upload-complete')]).toEqual([201, '?1']);
    const told = (await answer.json()) as Told;
    expect(told).toMatchObject({ fileName: 'a.bin', byteSize: 100_000, sha256: digestOf(bytes) });
    const added = await add(gateway, { attachments: [{ upload: told.upload }] });
    const download = await get(added.ticketMessage.attachments[0]!.downloadUrl, asOperator);
    expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test('in parts goes on where it is, and its last part brings the answer', async () => {
    const bytes = randomBytes(300_000);
    const first = await create(
      { 'upload-complete': '?0', 'upload-length': '300000' },
      bytes.subarray(0, 100_000),
    );
    expect(first.status).toBe(201);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'upload-complete': '?0',
      'upload-offset': '100000',
      'upload-limit': `max-size=${maxBytes}, max-age=86400`,
    });
    const path = pathOf(first);
    expect(await stateOf(path)).toEqual({ status: 204, offset: '100000', complete: '?0', length: '300000' });
    const second = await append(path, 100_000, false, bytes.subarray(100_000, 250_000));
    expect([second.status, second.headers.get('upload-complete')]).toEqual([204, '?0']);
    const last = await append(path, 250_000, true, bytes.subarray(250_000));
    expect([last.status, last.headers.get('upload-complete')]).toEqual([201, '?1']);
    expect(await last.json()).toMatchObject({ byteSize: 300_000, sha256: digestOf(bytes) });
    expect(await stateOf(path)).toEqual({ status: 204, offset: '300000', complete: '?1', length: '300000' });
  });

  test('of no bytes, and one that is ended by a request without any', async () => {
    const none = await create({ 'upload-complete': '?1' }, new Uint8Array(0));
    expect(await none.json()).toMatchObject({ byteSize: 0 });
    const path = await begun();
    await append(path, 0, false, Buffer.from('all of it'));
    expect(await (await append(path, 9, true, new Uint8Array(0))).json()).toMatchObject({ byteSize: 9 });
  });

  test.each(sampled([50, 1, 99], 3))(
    'that breaks off at %i percent goes on from what has arrived',
    async (percent) => {
      const bytes = randomBytes(1_000_000);
      const path = await begun(bytes.length);
      const sent = (bytes.length * percent) / 100;
      const headers = {
        'content-type': 'application/partial-upload',
        'upload-offset': '0',
        'upload-complete': '?1',
        'content-length': bytes.length,
      };
      const req = await half('PATCH', path, headers, bytes.subarray(0, sent));
      req.destroy();
      await closed(req);
      const { offset, complete } = await stateOf(path);
      expect(complete).toBe('?0');
      expect(Number(offset)).toBeLessThanOrEqual(sent);
      let rest = await append(path, Number(offset), true, bytes.subarray(Number(offset)));
      if (rest.status === 409) {
        // The cut request may arrive after the query for the offset, over another connection. A sender
        // continues at the offset that it gets.
        const place = Number(rest.headers.get('upload-offset'));
        rest = await append(path, place, true, bytes.subarray(place));
      }
      expect(await rest.json()).toMatchObject({ byteSize: bytes.length, sha256: digestOf(bytes) });
    },
  );

  test.each(['this process', 'another process'])(
    'whose sender comes again, to %s, while the request before still hangs, is taken from it',
    async (where) => {
      const bytes = randomBytes(600_000);
      const path = await begun(bytes.length);
      const headers = {
        'content-type': 'application/partial-upload',
        'upload-offset': '0',
        'upload-complete': '?1',
        'content-length': bytes.length,
      };
      const hanging = await half('PATCH', path, headers, bytes.subarray(0, 400_000));
      const id = path.split('/').at(-1)!;
      const writing = () => gateway.sql`select from open_uploads where id = ${id} and writer is not null`;
      while ((await writing()).length === 0);
      const ended = closed(hanging);
      const at = where === 'this process' ? gateway : other;
      const { offset } = await stateOf(path, { at });
      await ended;
      const rest = bytes.subarray(Number(offset));
      const last = await append(path, Number(offset), true, rest, {}, { at });
      expect(await last.json()).toMatchObject({ byteSize: bytes.length, sha256: digestOf(bytes) });
    },
  );

  test('whose sender died with its process before the clock was set back goes on', async () => {
    const path = await begun(5);
    await gateway.sql`update open_uploads set writer = gen_random_uuid(),
      lease_until = now() + interval '1 day'`;
    expect(await (await append(path, 0, true, Buffer.from('whole'))).json()).toMatchObject({ byteSize: 5 });
  });

  test('whose parts come to several processes is one file', async () => {
    const bytes = randomBytes(500_000);
    const path = await begun();
    for (let n = 0; n < 5; n += 1) {
      const at = n % 2 === 0 ? gateway : other;
      const part = bytes.subarray(n * 100_000, (n + 1) * 100_000);
      const answer = await append(path, n * 100_000, n === 4, part, {}, { at });
      expect(answer.status).toBe(n === 4 ? 201 : 204);
      if (n === 4) expect(await answer.json()).toMatchObject({ sha256: digestOf(bytes) });
    }
  });

  test('whose last answer got lost is told again, and is still one upload', async () => {
    const path = await begun();
    const first = await (await append(path, 0, true, Buffer.from('whole'))).json();
    expect(await stateOf(path)).toMatchObject({ offset: '5', complete: '?1' });
    expect(await (await append(path, 5, true, new Uint8Array(0))).json()).toEqual(first);
    expect(await problemOf(await append(path, 5, false, Buffer.from('more')))).toMatchObject({
      status: 409,
      code: 'UPLOAD_COMPLETE',
    });
  });

  test('that was given up is gone, with its bytes; a whole one too, unless a message has it', async () => {
    const path = await begun();
    await append(path, 0, false, Buffer.from('some'));
    expect((await call('DELETE', path)).status).toBe(204);
    expect((await stateOf(path)).status).toBe(404);
    expect(await problemOf(await append(path, 4, true, Buffer.from('x')))).toMatchObject({ status: 404 });

    const whole = await begun();
    await append(whole, 0, true, Buffer.from('some'));
    expect((await call('DELETE', whole)).status).toBe(204);
    expect((await stateOf(whole)).status).toBe(404);

    const kept = await begun();
    const { upload } = (await (await append(kept, 0, true, Buffer.from('some'))).json()) as Told;
    await add(gateway, { attachments: [{ upload }] });
    expect(await problemOf(await call('DELETE', kept))).toMatchObject({
      status: 409,
      code: 'UPLOAD_COMPLETE',
    });
  });

  test('that a message gets while it is given up stays, and its sender is told', async () => {
    const path = await begun();
    const { upload } = (await (await append(path, 0, true, Buffer.from('some'))).json()) as Told;
    let given: ReturnType<typeof call> | undefined;
    await gateway.sql.begin(async (tx) => {
      await tx`lock table uploads in share mode`;
      given = call('DELETE', path);
      await expect.poll(() => countWaiting(gateway.sql)).toBeGreaterThan(0);
      await add(gateway, { attachments: [{ upload }] });
    });
    expect(await problemOf(await given!)).toMatchObject({ status: 409, code: 'UPLOAD_COMPLETE' });
    expect((await stateOf(path)).status).toBe(204);
  });

  test('is its owner’s alone, for a day', async () => {
    const path = await begun();
    const unknown = '/uploads/00000000-0000-4000-8000-000000000000';
    for (const [method, headers] of [
      ['HEAD', {}],
      [
        'PATCH',
        { 'content-type': 'application/partial-upload', 'upload-offset': '0', 'upload-complete': '?0' },
      ],
      ['DELETE', {}],
    ] as const) {
      const body = method === 'PATCH' ? Buffer.from('x') : undefined;
      const [theirs, nobodys, none] = await Promise.all([
        call(method, path, headers, body, { authorization: asRequester }),
        call(method, unknown, headers, body),
        call(method, '/uploads/nonsense', headers, body),
      ]);
      const texts = await Promise.all([theirs, nobodys, none].map((answer) => answer!.text()));
      expect([theirs!.status, nobodys!.status, none!.status]).toEqual([404, 404, 404]);
      expect(new Set(texts).size).toBe(1);
    }
    await gateway.sql`update open_uploads set created_at = now() - interval '24 hours 1 minute'
      where id = ${path.slice(9)}`;
    expect((await stateOf(path)).status).toBe(404);
  });
});

test('a request that was held up on its way does not end, or go on after, one that came later', async () => {
  const { commands } = gateway.database.database;
  const [first, second] = [nextArrival(), nextArrival()];
  const id = randomUUID();
  const work = async () => 'done';
  expect(await runExclusively(commands, id, second, () => {}, work)).toBe('done');
  await expect(runExclusively(commands, id, first, () => {}, work)).rejects.toMatchObject({
    code: 'UPLOAD_BUSY',
  });
});

describe('104 (Upload Resumption Supported)', () => {
  async function informed(
    version: string,
  ): Promise<{ told: (number | string | undefined)[][]; final: number }> {
    const req = request(`${gateway.url}/uploads`, {
      method: 'POST',
      headers: {
        authorization: asOperator,
        'content-type': 'x/y',
        'upload-complete': '?1',
        'upload-draft-interop-version': version,
      },
    });
    const told: (number | string | undefined)[][] = [];
    req.on('information', ({ statusCode, headers }) =>
      told.push([statusCode, headers.location as string, headers['upload-draft-interop-version'] as string]),
    );
    req.end('x');
    const [answer] = (await once(req, 'response')) as [IncomingMessage];
    answer.resume();
    return { told, final: answer.statusCode! };
  }

  test('announces the offset before it reads the first byte, to clients of this draft version', async () => {
    const { told, final } = await informed('8');
    expect(told).toEqual([[104, expect.stringMatching(/\/uploads\/[0-9a-f-]{36}$/), '8']]);
    expect(final).toBe(201);
    for (const version of ['7', 'x']) expect(await informed(version)).toEqual({ told: [], final: 201 });
  });

  test('lets a sender go on whose first request was cut', async () => {
    const bytes = randomBytes(200_000);
    const headers = {
      'content-type': 'x/y',
      'upload-complete': '?1',
      'upload-draft-interop-version': '8',
      'content-length': bytes.length,
    };
    const req = request(`${gateway.url}/uploads`, {
      method: 'POST',
      headers: { ...headers, authorization: asOperator },
    });
    req.on('error', () => {});
    const place = once(req, 'information') as Promise<[{ headers: { location: string } }]>;
    req.write(bytes.subarray(0, 150_000));
    const [{ headers: told }] = await place;
    req.destroy();
    await closed(req);
    const path = new URL(told.location).pathname;
    const { offset, length } = await stateOf(path);
    expect(length).toBe('200000');
    const rest = await append(path, Number(offset), true, bytes.subarray(Number(offset)));
    expect(await rest.json()).toMatchObject({ sha256: digestOf(bytes) });
  });
});

describe('what is wrong is said', () => {
  const some = Buffer.from('0123456789');

  test('another offset: 409 with the right one, and the upload goes on', async () => {
    const path = await begun();
    await append(path, 0, false, some);
    for (const [n, offset] of [0, 9, 11, 999_999_999_999_999, 0, 9, 11, 999_999_999_999_999].entries()) {
      const answer = await append(path, offset, n >= 4, some);
      expect([answer.headers.get('upload-offset'), answer.headers.get('upload-complete')]).toEqual([
        '10',
        '?0',
      ]);
      expect(await problemOf(answer)).toMatchObject({
        status: 409,
        type: 'https://iana.org/assignments/http-problem-types#mismatching-upload-offset',
        code: 'UPLOAD_OFFSET',
        'expected-offset': 10,
        'provided-offset': offset,
      });
    }
    expect(await stateOf(path)).toMatchObject({ offset: '10', length: null });
    expect((await append(path, 10, false, some)).status).toBe(204);
    expect((await append(path, 20, true, some)).status).toBe(201);
  });

  test.each<[string, Record<string, string>, number, string]>([
    ['another type', { 'content-type': 'application/octet-stream' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['no offset', { 'upload-offset': 'x' }, 400, 'BAD_REQUEST'],
    ['a negative offset', { 'upload-offset': '-1' }, 400, 'BAD_REQUEST'],
    ['a text for an offset', { 'upload-offset': '"0"' }, 400, 'BAD_REQUEST'],
    ['no word on completeness', { 'upload-complete': 'true' }, 400, 'BAD_REQUEST'],
  ])('a PATCH with %s', async (_what, headers, status, code) => {
    const path = await begun();
    expect(await problemOf(await append(path, 0, false, some, headers))).toMatchObject({ status, code });
    expect(await stateOf(path)).toMatchObject({ offset: '0' });
  });

  test('parameters of a field are passed over, as structured fields have it', async () => {
    const path = await begun();
    const headers = { 'upload-offset': '0;x=y', 'upload-complete': '?0; a' };
    expect((await append(path, 0, false, some, headers)).status).toBe(204);
  });

  test('lengths that do not agree', async () => {
    const mismatch = { status: 400, code: 'UPLOAD_MISMATCH' };
    expect(
      await problemOf(await create({ 'upload-complete': '?1', 'upload-length': '11' }, some)),
    ).toMatchObject({
      status: 400,
      code: 'BAD_REQUEST',
    });
    const path = await begun(20);
    expect(await problemOf(await append(path, 0, false, some, { 'upload-length': '21' }))).toMatchObject(
      mismatch,
    );
    expect(await problemOf(await append(path, 0, true, some))).toMatchObject(mismatch);
    await append(path, 0, false, some);
    expect(await problemOf(await append(path, 10, false, Buffer.alloc(11)))).toMatchObject(mismatch);
    expect(await stateOf(path)).toMatchObject({ offset: '10', length: '20' });
    // More bytes than were announced, without a Content-Length: the upload is deleted.
    const req = await half(
      'PATCH',
      path,
      { 'content-type': 'application/partial-upload', 'upload-offset': '10', 'upload-complete': '?0' },
      Buffer.alloc(11),
    );
    req.end();
    const [answer] = (await once(req, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(400);
    expect((await stateOf(path)).status).toBe(404);
  });

  test('more than a file may have, told or not, in one request or several', async () => {
    const tooLarge = { status: 413, code: 'ATTACHMENT_TOO_LARGE', limitBytes: maxBytes };
    const announced = await create(
      { 'upload-complete': '?0', 'upload-length': String(maxBytes + 1) },
      new Uint8Array(0),
    );
    expect(announced.headers.get('upload-limit')).toContain(`max-size=${maxBytes}`);
    expect(await problemOf(announced)).toMatchObject(tooLarge);
    const path = await begun();
    await append(path, 0, false, Buffer.alloc(maxBytes));
    expect(await problemOf(await append(path, maxBytes, false, some))).toMatchObject(tooLarge);
    expect((await stateOf(path)).status).toBe(404);
  });

  test('a digest that the whole does not have', async () => {
    const digest = createHash('sha256').update(some).digest('base64');
    const headers = { 'upload-complete': '?0', 'repr-digest': `sha-512=:eA==:, sha-256=:${digest}:` };
    const good = pathOf(await create(headers, some.subarray(0, 5)));
    expect((await append(good, 5, true, some.subarray(5))).status).toBe(201);
    const bad = pathOf(await create(headers, some.subarray(0, 5)));
    expect(await problemOf(await append(bad, 5, true, Buffer.from('other')))).toMatchObject({
      status: 400,
      code: 'UPLOAD_DIGEST',
    });
    expect((await stateOf(bad)).status).toBe(404);
  });

  test('what becomes more than a user may have uploaded, although no size was announced', async () => {
    const env = { ROLES: 'web', MAX_UPLOADED_BYTES: '1048576', MAX_ATTACHMENT_BYTES: '1000000' };
    await using at = await startGateway({ env });
    const headers = { 'content-type': 'x/y', 'upload-complete': '?0' };
    const begin = async () =>
      pathOf(await call('POST', '/uploads', headers, new Uint8Array(0), { authorization: asOperator, at }));
    const paths = await Promise.all([begin(), begin()]);
    const bytes = new Uint8Array(700_000);
    const answers = await Promise.all(paths.map((path) => append(path, 0, true, bytes, {}, { at })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 413]);
    const [held] = await at.sql`
      select (select count(*)::int from uploads) as uploads,
        (select count(*)::int from open_uploads) as open`;
    expect(held).toEqual({ uploads: 1, open: 0 });
  });

  test('more uploads at a time than are allowed', async () => {
    const authorization = asRequester;
    const headers = { 'content-type': 'x/y', 'upload-complete': '?0' };
    const answers = await Promise.all(
      Array.from({ length: 34 }, () =>
        call('POST', '/uploads', headers, new Uint8Array(0), { authorization }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(30);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(4);
  });

  test('that have expired take no room, whether the collector has come by or not', async () => {
    const small = { MAX_ATTACHMENT_BYTES: '600000' };
    const env = { ROLES: 'web', MAX_UPLOADED_BYTES: '1048576', MAX_OPEN_UPLOADS: '2', ...small };
    await using at = await startGateway({ env });
    const headers = { 'content-type': 'x/y', 'upload-complete': '?0', 'upload-length': '500000' };
    const begin = () =>
      call('POST', '/uploads', headers, new Uint8Array(0), { authorization: asOperator, at });
    const statuses = async () => [(await begin()).status, (await begin()).status, (await begin()).status];
    expect(await statuses()).toEqual([201, 201, 429]);
    await at.sql`update open_uploads set created_at = now() - interval '24 hours 1 minute'`;
    expect(await statuses()).toEqual([201, 201, 429]);
  });
});
