import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { sampled } from '../support/soak.ts';

/* A desk with known frontends: only their documents are accepted. */

const known = 'query Who { viewer { login } }';
const sha256 = createHash('sha256').update(known).digest('hex');
let directory: string;
let file: string;
let gateway: Gateway;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ticketwire-trusted-'));
  file = join(directory, 'persisted-documents.json');
  // As codegen's client preset writes it. Its ids are SHA-1 by default.
  await writeFile(file, JSON.stringify({ 'an-id-of-codegen': known }));
  gateway = await startGateway({ env: { ROLES: 'web', TRUSTED_DOCUMENTS: file } });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const headers = { authorization: asOperator, accept: 'application/json' };
const post = async (body: object) =>
  (
    await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  ).json();
const get = async (params: Record<string, string>) =>
  (await fetch(`${gateway.url}/graphql?${new URLSearchParams(params)}`, { headers })).json();
const answer = { data: { viewer: { login: 'operator' } } };
const refused = (code: string) => ({ errors: [{ message: expect.any(String), extensions: { code } }] });

test('a document of the file is answered, sent whole or named by its id or its hash', async () => {
  const apollo = { persistedQuery: { version: 1, sha256Hash: sha256 } };
  expect(await post({ query: known })).toEqual(answer);
  expect(await post({ documentId: 'an-id-of-codegen' })).toEqual(answer);
  expect(await post({ documentId: `sha256:${sha256}` })).toEqual(answer);
  expect(await post({ extensions: apollo })).toEqual(answer);
  expect(await post({ query: known, extensions: apollo })).toEqual(answer);
  expect(await get({ query: known })).toEqual(answer);
  expect(await get({ documentId: sha256 })).toEqual(answer);
  expect(await get({ extensions: JSON.stringify(apollo) })).toEqual(answer);
});

test('anything else is refused, by each verb and transport, and whatever hash comes with it', async () => {
  const other = '{ viewer { name } }';
  const untrusted = refused('DOCUMENT_NOT_TRUSTED');
  expect(await post({ query: other })).toEqual(untrusted);
  expect(await post({ query: `${known} ` })).toEqual(untrusted);
  expect(await post({ query: '{ __schema { types { name } } }' })).toEqual(untrusted);
  const borrowed = { persistedQuery: { version: 1, sha256Hash: sha256 } };
  expect(await post({ query: other, extensions: borrowed })).toEqual(untrusted);
  expect(await post({ query: other, documentId: sha256 })).toEqual(untrusted);
  expect(await get({ query: other })).toEqual(untrusted);
  const notFound = refused('PERSISTED_QUERY_NOT_FOUND');
  expect(await post({ documentId: 'nobody' })).toEqual(notFound);
  expect(await get({ documentId: 'constructor' })).toEqual(notFound);
  const form = new FormData();
  form.set('operations', JSON.stringify({ query: other }));
  form.set('map', '{}');
  const multipart = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body: form });
  expect(await multipart.json()).toEqual(untrusted);
  const watch = 'subscription { ticketEvents(ticket: { ticketId: 47 }) { cursor } }';
  const stream = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: watch }),
  });
  expect(await stream.text()).toContain('DOCUMENT_NOT_TRUSTED');
});

test('the legacy endpoint goes on: its documents are our own', async () => {
  expect((await gateway.legacy({ TicketId: 47, Message: 'x' })).status).toBe(200);
});

const wrongFiles: [string, RegExp][] = [
  ['{"a": 1}', /TRUSTED_DOCUMENTS: .* a text for each id/],
  ['{', /TRUSTED_DOCUMENTS: .* cannot be read as JSON/],
  ['[]', /TRUSTED_DOCUMENTS: .* must be an object/],
  ['{}', /TRUSTED_DOCUMENTS: .* with one at least/],
];
test.each(sampled(wrongFiles, 4))(
  'a file that is %s is an error of the start, by the name of the setting',
  async (text, said) => {
    const wrong = join(directory, 'wrong.json');
    await writeFile(wrong, text);
    await expect(startGateway({ env: { ROLES: 'web', TRUSTED_DOCUMENTS: wrong } })).rejects.toThrow(said);
  },
);
