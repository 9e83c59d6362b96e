import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, asRequester, basic, type Gateway, startGateway } from '../support/gateway.ts';
import { add, get } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const attach = async (file: File, input: object = {}) => {
  const added = await add(gateway, { attachments: [{ file: null }], ...input }, { files: [file] });
  return added.ticketMessage.attachments[0]!;
};
const digits = '0123456789';

describe('ranges', () => {
  const cases: [range: string, status: number, body: string, contentRange: string | null][] = [
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=4-', 206, '456789', 'bytes 4-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-30', 206, digits, 'bytes 0-9/10'],
    ['bytes=9-9', 206, '9', 'bytes 9-9/10'],
    ['bytes=5-500', 206, '56789', 'bytes 5-9/10'],
    ['bytes=10-', 416, 'Range not satisfiable\n', 'bytes */10'],
    ['bytes=-0', 416, 'Range not satisfiable\n', 'bytes */10'],
    // What is no single range of bytes is answered with the whole, as RFC 9110 lets it.
    ['bytes=0-1,4-5', 200, digits, null],
    ['lines=1-2', 200, digits, null],
    ['bytes=-', 200, digits, null],
  ];
  for (const [range, status, body, contentRange] of cases) {
    test(`${range} is ${status}`, async () => {
      const { downloadUrl } = await attach(new File([digits], 'digits.txt'));
      const response = await get(downloadUrl, asOperator, { headers: { range } });
      expect([response.status, await response.text()]).toEqual([status, body]);
      expect(response.headers.get('content-range')).toBe(contentRange);
    });
  }

  test('HEAD ignores them, and tells of the whole file', async () => {
    const { downloadUrl } = await attach(new File([digits], 'digits.txt'));
    for (const range of ['bytes=2-3', 'bytes=10-']) {
      const { status, headers } = await get(downloadUrl, asOperator, { method: 'HEAD', headers: { range } });
      const told = ['content-length', 'content-range', 'accept-ranges'].map((name) => headers.get(name));
      expect([status, ...told], range).toEqual([200, '10', null, 'bytes']);
    }
  });

  test('an empty file has no range, and comes whole', async () => {
    const { downloadUrl, byteSize } = await attach(new File([], 'empty.txt'));
    expect(byteSize).toBe(0);
    const whole = await get(downloadUrl, asOperator);
    expect([whole.status, whole.headers.get('content-length'), await whole.text()]).toEqual([200, '0', '']);
    expect((await get(downloadUrl, asOperator, { headers: { range: 'bytes=0-0' } })).status).toBe(416);
  });
});

test('HEAD tells what GET would, without the bytes; another method is 405', async () => {
  const { downloadUrl } = await attach(new File([digits], 'digits.txt', { type: 'text/plain' }));
  const [head, whole] = await Promise.all([
    get(downloadUrl, asOperator, { method: 'HEAD' }),
    get(downloadUrl, asOperator),
  ]);
  const headersOf = ({ headers }: Response) =>
    Object.fromEntries(
      [...headers].filter(([name]) => !/^(date|x-request-id|connection|keep-alive)$/.test(name)),
    );
  expect([head.status, headersOf(head), await head.text()]).toEqual([200, headersOf(whole), '']);
  expect(headersOf(whole)).toMatchObject({
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-store',
    'content-length': '10',
    'content-security-policy': "default-src 'none'; sandbox",
    'content-type': 'text/plain',
    'x-content-type-options': 'nosniff',
  });
  const post = await get(downloadUrl, asOperator, { method: 'POST' });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

/** As a browser reads it: the ASCII name, and the one that goes before it. */
const namesOf = (response: Response) => {
  const header = response.headers.get('content-disposition')!;
  const [, ascii, extended] = /^attachment; filename="([^"]*)"; filename\*=UTF-8''(\S*)$/.exec(header)!;
  return [ascii, decodeURIComponent(extended!)];
};
test.each([
  ['plain.txt', 'plain.txt', 'plain.txt'],
  ['Žluťoučký kůň.pdf', '_lu_ou_k_ k__.pdf', 'Žluťoučký kůň.pdf'],
  ['見積書（最終）.xlsx', '_______.xlsx', '見積書（最終）.xlsx'],
  ["it's 100% (done) *;=.txt", "it's 100_ (done) _;=.txt", "it's 100% (done) _;=.txt"],
  ['😀.png', '__.png', '😀.png'],
  ['../../etc/passwd', 'passwd', 'passwd'],
])('%s is saved under its own name, and by old clients under an ASCII one', async (name, ascii, whole) => {
  const { downloadUrl, fileName } = await attach(new File(['x'], name));
  expect(fileName).toBe(whole);
  const response = await get(downloadUrl, asOperator);
  expect(namesOf(response)).toEqual([ascii, whole]);
});

test.each([
  'text/html',
  'image/svg+xml',
  'application/xml',
  'application/pdf',
  'text/javascript',
  'text/css',
])('%s does not run on our origin', async (type) => {
  const { downloadUrl } = await attach(new File(['<script>alert(1)</script>'], 'a.bin', { type }));
  const { headers } = await get(downloadUrl, asOperator);
  expect(headers.get('content-type')).toBe('application/octet-stream');
  expect(headers.get('content-disposition')).toMatch(/^attachment;/);
});

test('what may not be seen answers as what is not there, to the header', async () => {
  const note = await attach(new File(['secret'], 'note.txt'), { visibility: 'PRIVATE' });
  const foreign = await attach(new File(['secret'], 'foreign.txt'), { ticket: { ticketId: 1 } });
  const urlOf = (id: string) => `${gateway.url}/attachments/${id}`;
  const answers = await Promise.all(
    [
      note.downloadUrl,
      foreign.downloadUrl,
      urlOf(btoa('Attachment:999999')),
      urlOf('nonsense'),
      urlOf('%E0%A4%A'),
      urlOf(''),
    ].map(async (url) => {
      const response = await get(url, asRequester);
      const headers = [...response.headers].filter(([name]) => !/^(date|x-request-id)$/.test(name));
      return { status: response.status, headers, text: await response.text() };
    }),
  );
  expect(answers[0]!.status).toBe(404);
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(await (await get(note.downloadUrl, asOperator)).text()).toBe('secret');
});

test('nobody downloads without a credential, nor with a bad one', async () => {
  const { downloadUrl } = await attach(new File(['x'], 'x.txt'));
  const none = await get(downloadUrl, null);
  expect([none.status, none.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('Basic'),
  ]);
  expect((await get(downloadUrl, basic('operator', 'wrong'))).status).toBe(401);
});
