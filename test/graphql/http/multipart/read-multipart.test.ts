import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, type Gateway, startGateway } from '../../../support/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    env: { ROLES: 'web', MAX_ATTACHMENT_BYTES: '300000', MAX_MESSAGE_ATTACHMENTS_BYTES: '400000' },
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const boundary = 'x0123456789';
interface Part {
  readonly headers: string;
  readonly body: string | Buffer;
}
const field = (name: string, body: unknown): Part => ({
  headers: `Content-Disposition: form-data; name="${name}"`,
  body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
});
const file = (
  name: string,
  body: string | Buffer = name,
  more = '; filename="a.txt"',
  type = 'text/plain',
): Part => ({
  headers: `Content-Disposition: form-data; name="${name}"${more}\r\nContent-Type: ${type}`,
  body,
});
const bytesOf = (parts: readonly Part[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(({ headers, body }) => [
      Buffer.from(`--${boundary}\r\n${headers}\r\n\r\n`),
      Buffer.from(body as string),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);

const query = `mutation ($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) {
    __typename
    ... on AddTicketMessagePayload {
      ticketMessage { attachments { fileName contentType byteSize sha256 downloadUrl } }
    }
    ... on UserError { code message path }
  }
}`;
const operations = (count: number, input: object = {}) =>
  field('operations', {
    query,
    variables: {
      input: {
        ticket: { ticketId: 47 },
        body: 'With files',
        attachments: Array.from({ length: count }, () => ({ file: null })),
        ...input,
      },
    },
  });
const map = (count: number) =>
  field('map', Object.fromEntries(Array.from({ length: count }, (_, n) => [n, [place(n)]])));
const place = (n: number) => `variables.input.attachments.${n}.file`;

interface Attachment {
  fileName: string;
  contentType: string;
  byteSize: number;
  sha256: string;
  downloadUrl: string;
}
interface Answer {
  data?: {
    addTicketMessage?: { code?: string; path?: string[]; ticketMessage: { attachments: Attachment[] } };
  };
  errors?: { message: string; extensions: { code: string } }[];
}

async function send(body: Buffer, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'graphql-preflight': '1',
      accept: 'application/json',
      authorization: asOperator,
      ...headers,
    },
    body: new Uint8Array(body),
  });
  return { status: response.status, ...((await response.json()) as Answer) };
}
async function attached(parts: readonly Part[]): Promise<Attachment[]> {
  const { data, errors } = await send(bytesOf(parts));
  expect(errors).toBeUndefined();
  return data!.addTicketMessage!.ticketMessage.attachments;
}
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
const stored = async () =>
  (await readdir(gateway.blobsDirectory, { recursive: true, withFileTypes: true }))
    .filter((e) => e.isFile())
    .map(({ name }) => name);
/** Files that were not there before. An earlier test's may go meanwhile. */
const storedSince = async (before: readonly string[]) =>
  (await stored()).filter((name) => !before.includes(name));

/** Asserts that what is sent writes no row and leaves no file. */
async function nothingFrom<T>(act: () => Promise<T>): Promise<T> {
  const [counts, files] = [await gateway.counts(), await stored()];
  const answer = await act();
  expect(await gateway.counts()).toEqual(counts);
  await expect.poll(() => storedSince(files)).toEqual([]);
  return answer;
}

describe('files', () => {
  test('without a name are files all the same', async () => {
    const parts = [
      file('0', 'no name', ''),
      file('1', 'an empty name', '; filename=""', 'application/octet-stream'),
      file('2', Buffer.from([0xff, 0, 0xfe]), '', 'image/png'),
    ];
    const attachments = await attached([operations(3), map(3), ...parts]);
    expect(attachments.map(({ fileName }) => fileName)).toEqual([
      'attachment-1',
      'attachment-2',
      'attachment-3',
    ]);
    expect(attachments.map((attachment) => attachment.sha256)).toEqual(parts.map(({ body }) => sha256(body)));
  });

  test('have the names that their senders see, and types with their parameters', async () => {
    const attachments = await attached([
      operations(3),
      map(3),
      file('0', 'a', '; filename="100%25 sure.txt"', 'text/plain; charset=iso-8859-1'),
      file('1', 'b', '; filename="naïve 漢字.ics"', 'text/calendar; method=REQUEST'),
      file('2', 'c', '; filename="tab\tname.txt"'),
    ]);
    expect(attachments.map(({ fileName }) => fileName)).toEqual([
      '100%25 sure.txt',
      'naïve 漢字.ics',
      'tabname.txt',
    ]);
  });

  test('come in any order, between parts that nobody asked for', async () => {
    const attachments = await attached([
      operations(2),
      map(2),
      file('unasked', randomBytes(100_000)),
      file('1', 'second'),
      field('a field', 'of a form'),
      file('0', 'first'),
    ]);
    expect(attachments.map((attachment) => attachment.sha256)).toEqual([sha256('first'), sha256('second')]);
  });

  test('that two attachments name are stored once, and belong to both', async () => {
    const before = await stored();
    const attachments = await attached([
      operations(2),
      field('map', { 0: [place(0), place(1)] }),
      file('0', 'of both'),
    ]);
    expect(attachments.map((attachment) => attachment.sha256)).toEqual([
      sha256('of both'),
      sha256('of both'),
    ]);
    expect(await storedSince(before)).toHaveLength(1);
    for (const { downloadUrl } of attachments) {
      const response = await fetch(downloadUrl, { headers: { authorization: asOperator } });
      expect(await response.text()).toBe('of both');
    }
  });

  test('of two commands in one document are told apart: one may be refused, the other not', async () => {
    const input = { ticket: { ticketId: 47 }, body: 'x', attachments: [{ file: null }] };
    const document = `mutation ($a: AddTicketMessageInput!, $b: AddTicketMessageInput!) {
      a: addTicketMessage(input: $a) { ...result } b: addTicketMessage(input: $b) { ...result }
    }
    fragment result on AddTicketMessageResult {
      __typename ... on AddTicketMessagePayload { ticketMessage { attachments { sha256 } } }
    }`;
    const variables = { a: { ...input, body: ' ' }, b: input };
    const answer = await send(
      bytesOf([
        field('operations', { query: document, variables }),
        field('map', { 0: ['variables.a.attachments.0.file', 'variables.b.attachments.0.file'] }),
        file('0', 'shared'),
      ]),
    );
    expect(answer.data).toEqual({
      a: { __typename: 'InvalidInputError' },
      b: {
        __typename: 'AddTicketMessagePayload',
        ticketMessage: { attachments: [{ sha256: sha256('shared') }] },
      },
    });
  });

  test.each([
    ['one', [300_001], { path: ['attachments', '0'] }],
    ['all together', [200_000, 200_001], { path: ['attachments'] }],
  ])('with one byte too many, %s: refused by type', async (_what, sizes, expected) => {
    const parts = sizes.map((size, n) => file(String(n), Buffer.alloc(size)));
    const answer = await nothingFrom(() =>
      send(bytesOf([operations(sizes.length), map(sizes.length), ...parts])),
    );
    expect(answer.data?.addTicketMessage).toMatchObject({ code: 'ATTACHMENT_TOO_LARGE', ...expected });
  });
});

describe('what is no multipart request is refused with 400, and nothing is done', () => {
  const good = [operations(1), map(1), file('0')];
  const windows1252 = Buffer.from(operations(1, { body: 'caf\xe9' }).body as string, 'latin1');
  test.each<[string, Buffer]>([
    ['no parts', bytesOf([])],
    ['no map', bytesOf([operations(1)])],
    ['the map first', bytesOf([map(1), operations(1), file('0')])],
    ['files before the map', bytesOf([operations(1), file('0'), map(1)])],
    ['operations that are no JSON', bytesOf([field('operations', '{'), map(1), file('0')])],
    ['operations that are a batch', bytesOf([field('operations', []), map(1), file('0')])],
    ['operations that are null', bytesOf([field('operations', 'null'), map(1), file('0')])],
    ['operations that are no UTF-8', bytesOf([field('operations', windows1252), map(1), file('0')])],
    [
      'operations in another charset',
      bytesOf([
        {
          headers:
            'Content-Disposition: form-data; name="operations"\r\nContent-Type: application/json; ' +
            'charset=windows-1252',
          body: windows1252,
        },
        map(1),
        file('0'),
      ]),
    ],
    ['a map that is a list', bytesOf([operations(1), field('map', []), file('0')])],
    ['a map of texts', bytesOf([operations(1), field('map', { 0: place(0) }), file('0')])],
    [
      'a path into another file',
      bytesOf([operations(1), field('map', { 0: [place(0)], 1: [`${place(0)}.arrival`] }), file('0')]),
    ],
    ['a path that leads nowhere', bytesOf([operations(1), field('map', { 0: [place(7)] }), file('0')])],
    ...['4294967290', '1', '-1', '00', 'length'].map((item): [string, Buffer] => [
      `a path to an item that the list does not have: ${item}`,
      bytesOf([operations(1), field('map', { 0: [`variables.input.attachments.${item}`] }), file('0')]),
    ]),
    [
      'a path to what is no null',
      bytesOf([operations(1), field('map', { 0: ['variables.input.body'] }), file('0')]),
    ],
    [
      'a path into a prototype',
      bytesOf([operations(1), field('map', { 0: ['variables.__proto__.file'] }), file('0')]),
    ],
    ['a file that is named and not sent', bytesOf([operations(1), map(1)])],
    ['a NUL in a file’s name', bytesOf([operations(1), map(1), file('0', 'x', '; filename="a\0.txt"')])],
    [
      'a file in base64',
      bytesOf([operations(1), map(1), file('0', 'eA==', '\r\nContent-Transfer-Encoding: base64')]),
    ],
    ['no closing delimiter', bytesOf(good).subarray(0, -5)],
    [
      'an end in the middle of a file',
      bytesOf([operations(1), map(1), file('0', Buffer.alloc(9000))]).subarray(0, 6000),
    ],
    ['an end in the middle of the map', bytesOf(good).subarray(0, bytesOf([operations(1)]).length + 20)],
  ])('%s', async (_what, body) => {
    const answer = await nothingFrom(() => send(body));
    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]);
    expect(answer.status).toBe(400);
  });

  test('a request without a boundary', async () => {
    const answer = await nothingFrom(() => send(bytesOf(good), { 'content-type': 'multipart/form-data' }));
    expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });

  test('a file mapped to a text is told so in plain words', async () => {
    const answer = await nothingFrom(() =>
      send(
        bytesOf([
          field('operations', {
            query: 'query ($reference: String!) { ticket(by: { reference: $reference }) { id } }',
            variables: { reference: null },
          }),
          field('map', { 0: ['variables.reference'] }),
          file('0'),
        ]),
      ),
    );
    expect(answer.errors![0]!.message).toMatch(/a file of the request/);
    expect(answer.errors![0]!.message.length).toBeLessThan(200);
  });

  test('a file mapped to an object is told so, without members of ours', async () => {
    const answer = await nothingFrom(() =>
      send(
        bytesOf([
          operations(1, { attachments: [null] }),
          field('map', { 0: ['variables.input.attachments.0'] }),
          file('0'),
        ]),
      ),
    );
    expect(answer.errors!.map(({ message }) => message)).toEqual([
      'Variable "$input" got invalid value a file of the request at "input.attachments[0]"; ' +
        'Field "a file" is not defined by type "AttachmentInput".',
      'Variable "$input" got invalid value a file of the request at "input.attachments[0]"; ' +
        'Exactly one key must be specified for OneOf type "AttachmentInput".',
    ]);
  });
});

test('a connection that ends inside a file leaves nothing, and the next request is served', async () => {
  await nothingFrom(async () => {
    const form = bytesOf([operations(1), map(1), file('0', Buffer.alloc(200_000))]);
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${asOperator}\r\nGraphQL-Preflight: ` +
        '1\r\n' +
        `Content-Type: multipart/form-data; boundary=${boundary}\r\nContent-Length: ${form.length}\r\n\r\n`,
    );
    socket.end(form.subarray(0, 150_000));
    await text(socket);
  });
  expect(await attached([operations(1), map(1), file('0', 'next')])).toHaveLength(1);
});
