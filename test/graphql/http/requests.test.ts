import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, type Gateway, multipart, startGateway } from '../../support/gateway.ts';
import { type RawAnswer, rawPost, sendRaw } from '../../support/raw-http.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const viewer = '{"query":"{ viewer { login } }"}';
const headers = { Authorization: asOperator, Accept: 'application/json' };
const signedIn = '{"data":{"viewer":{"login":"operator"}}}';
const add = 'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';

test('an empty name of an operation is none, by POST and by GET', async () => {
  const operation = { query: 'query One { viewer { login } }', operationName: '' };
  const answers = await Promise.all([
    fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(operation),
    }),
    fetch(`${gateway.url}/graphql?${new URLSearchParams(operation)}`, { headers }),
  ]);
  for (const answer of answers) expect(await answer.text()).toBe(signedIn);
});

describe('the place that a request is for', () => {
  test('may be written in full, and goes before Host then', async () => {
    for (const target of [
      'http://desk.example/graphql',
      'HTTPS://desk.example:8443/graphql',
      'http://[::1]:80/graphql?x#y',
    ]) {
      const answer = await sendRaw(gateway.url, rawPost(viewer, headers, { target, host: 'a b' }));
      expect([target, answer.status, answer.body]).toEqual([target, 200, signedIn]);
    }
    const query = encodeURIComponent('{ viewer { login } }');
    const lines = `Host: x\r\nAuthorization: ${asOperator}\r\n\r\n`;
    const asked = await sendRaw(
      gateway.url,
      `GET http://desk.example/graphql?query=${query} HTTP/1.1\r\n${lines}`,
    );
    expect([asked.status, asked.body]).toEqual([200, signedIn]);
    const live = await sendRaw(
      gateway.url,
      'GET http://desk.example/health/live HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    expect(live.status).toBe(200);
  });

  const wrong = [
    'x:abc',
    '[',
    'a b',
    '[::1',
    'a/b',
    'user@host',
    'a?b',
    'a#b',
    'a:99999',
    '%',
    'a\\b',
    '<a>',
    '1.2.3.4.5.999',
    'a,b',
    // Two headers, in whatever case.
    'desk.example\r\nhOST: other.example',
  ];
  for (const host of wrong) {
    test(`400 for the Host ${JSON.stringify(host)} in every form of request, with no effect`, async () => {
      const before = await gateway.counts();
      const message = JSON.stringify({
        query: add,
        variables: { input: { ticket: { ticketId: 47 }, body: 'x' } },
      });
      const answers: RawAnswer[] = [
        await sendRaw(gateway.url, rawPost(message, headers, { host })),
        await sendRaw(gateway.url, rawPost(message, { ...headers, Accept: 'text/event-stream' }, { host })),
        await sendRaw(gateway.url, `GET /graphql?query={a} HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
        await sendRaw(gateway.url, `GET /attachments/x HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
        ...(/[\s/?#]/.test(host)
          ? []
          : [await sendRaw(gateway.url, rawPost(message, headers, { target: `http://${host}/graphql` }))]),
      ];
      for (const { status, body } of answers) {
        expect(status).toBe(400);
        expect(body).not.toMatch(/node_modules|\n\s+at /);
      }
      expect(await gateway.counts()).toEqual(before);
    });
  }

  test('may be any that a name, an address or a proxy can have', async () => {
    for (const host of [
      'localhost',
      'my_service:4000',
      '127.0.0.1:80',
      '[::1]:4000',
      'xn--bcher-kva.example',
      'a-b.c',
      'host.',
    ])
      expect([host, (await sendRaw(gateway.url, rawPost(viewer, headers, { host }))).status]).toEqual([
        host,
        200,
      ]);
  });

  test('400 for a target that is no path', async () => {
    for (const target of ['ftp://a/graphql', 'graphql', 'http:/graphql', 'javascript:1']) {
      const answer = await sendRaw(gateway.url, rawPost(viewer, headers, { target }));
      expect([target, answer.status]).toEqual([target, 400]);
    }
  });
});

describe('text is UTF-8', () => {
  const body = (text: string, encoding: BufferEncoding) =>
    Buffer.from(
      JSON.stringify({ query: add, variables: { input: { ticket: { ticketId: 47 }, body: text } } }),
      encoding,
    );

  test('what is not is refused, declared or not, and nothing is stored', async () => {
    const before = await gateway.counts();
    const declared = { ...headers, 'Content-Type': 'application/json; charset=iso-8859-1' };
    for (const [sent, status] of [
      [rawPost(body('Grüße', 'latin1'), headers), 400],
      [rawPost(body('Grüße', 'latin1'), declared), 415],
      [rawPost(body('Grüße', 'utf8'), declared), 415],
      [
        rawPost(body('x', 'utf16le'), { ...headers, 'Content-Type': 'application/json;charset="utf-16"' }),
        415,
      ],
      [rawPost(body('x', 'utf16le'), headers), 400],
      [
        rawPost(
          Buffer.concat([
            body('x', 'utf8').subarray(0, -4),
            Buffer.from([0xed, 0xa0, 0x80]),
            Buffer.from('"}}}'),
          ]),
          headers,
        ),
        400,
      ],
    ] as const)
      expect((await sendRaw(gateway.url, sent)).status).toBe(status);
    expect(await gateway.counts()).toEqual(before);
  });

  test('what is may begin with a byte order mark', async () => {
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(viewer)]);
    expect((await sendRaw(gateway.url, rawPost(marked, headers))).body).toBe(signedIn);
  });

  test('what is may be declared so, in any of its spellings', async () => {
    for (const type of [
      'application/json; charset=utf-8',
      'application/json;charset=UTF-8',
      'Application/JSON; charset="utf8"; x=y',
    ])
      expect((await sendRaw(gateway.url, rawPost(viewer, { ...headers, 'Content-Type': type }))).body).toBe(
        signedIn,
      );
  });
});

describe('a connection that is to be closed is closed behind the answer, and one that is not is kept', () => {
  const form = (file: string) => {
    const operations = JSON.stringify({
      query: add,
      variables: { input: { ticket: { ticketId: 47 }, body: 'x', attachments: [{ file: null }] } },
    });
    const parts = [
      ['operations', operations],
      ['map', '{"0":["variables.input.attachments.0.file"]}'],
    ].map(([name, text]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`);
    return (
      `${parts.join('')}--b\r\nContent-Disposition: form-data; name="0"; ` +
      `filename="a.txt"\r\n\r\n${file}\r\n--b--\r\n`
    );
  };
  const multipartType = { 'Content-Type': 'multipart/form-data; boundary=b' };

  for (const [what, body, more] of [
    ['JSON', viewer, {}],
    ['a form', form('hello'), multipartType],
    ['a form with a file of 3 MB', form('x'.repeat(3_000_000)), multipartType],
    ['what is refused', '{', {}],
  ] as const) {
    test(`of ${what}`, async () => {
      const kept = await sendRaw(gateway.url, rawPost(body, { ...headers, ...more }));
      const asked = await sendRaw(gateway.url, rawPost(body, { ...headers, ...more, Connection: 'close' }));
      const old = await sendRaw(gateway.url, rawPost(body, { ...headers, ...more }, { version: 'HTTP/1.0' }));
      expect([asked.headers.connection, asked.closed, old.closed]).toEqual(['close', true, true]);
      expect([asked.status, old.status]).toEqual([kept.status, kept.status]);
      expect([kept.headers.connection, kept.closed]).toEqual(['keep-alive', false]);
    });
  }
});

describe('a form from another origin needs a header of its own; no other does', () => {
  const send = (more: Record<string, string>) => {
    const variables = { input: { ticket: { ticketId: 47 }, body: 'x', attachments: [{ file: null }] } };
    return fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { authorization: asOperator, ...more },
      body: multipart(add, variables, [Buffer.from('x')]),
    });
  };

  test("a program's, Node's own fetch among them, and a page's of the same origin are taken", async () => {
    for (const more of [
      {},
      { cookie: 'a=b' },
      { 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-site': 'same-origin', origin: gateway.url, 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-site': 'none' },
      { origin: gateway.url },
      { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.test', 'graphql-preflight': '1' },
      { 'sec-fetch-site': 'cross-site', 'apollo-require-preflight': 'true' },
      { origin: 'https://elsewhere.test', 'x-requested-with': 'x' },
    ])
      expect([more, (await send(more)).status]).toEqual([more, 200]);
  });

  test('a page’s of elsewhere is refused, and nothing is done', async () => {
    const before = await gateway.counts();
    for (const more of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', origin: gateway.url },
      { origin: 'https://elsewhere.test' },
      { origin: 'null' },
    ])
      expect([more, (await send(more as Record<string, string>)).status]).toEqual([more, 403]);
    expect(await gateway.counts()).toEqual(before);
  });
});
