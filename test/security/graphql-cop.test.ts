import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../support/gateway.ts';

/*
 * What graphql-cop looks for, asked as it asks: by a stranger, of a desk that is no demo. Each answer that it
 * would call a finding is none.
 */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Told {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
  extensions?: Record<string, unknown>;
}
async function send(init: RequestInit, query = ''): Promise<{ status: number; told: Told; text: string }> {
  const answer = await fetch(`${gateway.url}/graphql${query}`, init);
  const text = await answer.text();
  return { status: answer.status, told: text.startsWith('{') ? JSON.parse(text) : {}, text };
}
const post = (body: object | string, more: Record<string, string> = {}) =>
  send({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...more },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const cop = (query: string) => post({ query, operationName: 'cop' });

test('alias overloading', async () => {
  const { told } = await cop(
    `query cop { ${Array.from({ length: 101 }, (_, n) => `alias${n}:__typename`).join(' ')} }`,
  );
  expect([told.data, told.errors?.length]).toEqual([undefined, 1]);
});
test('array-based query batching', async () => {
  const { status, told } = await post(
    JSON.stringify(
      Array.from({ length: 10 }, () => ({ query: 'query cop { __typename }', operationName: 'cop' })),
    ),
  );
  expect([status, Array.isArray(told), told.data]).toEqual([400, false, undefined]);
});
test('directive overloading', async () => {
  const { told } = await cop(`query cop { __typename ${'@aa'.repeat(10)} }`);
  expect(told.errors!.length).toBeLessThan(10);
  expect((await cop(`query cop { __typename ${'@aa'.repeat(60)} }`)).told.errors!.length).toBeLessThanOrEqual(
    3,
  );
});
test('field duplication', async () => {
  expect((await cop(`query cop { ${'__typename \n'.repeat(500)} }`)).told.data).toBeUndefined();
});
test('introspection', async () => {
  expect((await cop('query cop { __schema { types { name fields { name } } } }')).told.data).toBeUndefined();
});
test('introspection in circles', async () => {
  const circle =
    'query cop { __schema { types { fields { type { fields { type { fields { type { fields { type { ' +
    'name } } } } } } } } } }';
  expect((await cop(circle)).told.data).toBeUndefined();
});
test('field suggestions', async () => {
  for (const query of [
    'query cop { __schema { directive } }',
    'query cop { viewe { login } }',
    'query cop { viewer { logi } }',
  ])
    expect((await cop(query)).text).not.toMatch(/did you mean/i);
});
test('GraphiQL', async () => {
  for (const path of ['', '/', '/graphiql', '/playground', '/console']) {
    const answer = await fetch(`${gateway.url}/graphql${path}`, { headers: { accept: 'text/html' } });
    expect(await answer.text()).not.toMatch(/graphiql|playground/i);
  }
});
test('trace mode', async () => {
  const { told, text } = await post(
    { query: 'query cop { __typename }' },
    { 'x-apollo-tracing': '1', 'apollo-federation-include-trace': 'ftv1' },
  );
  expect([told.extensions, /tracing/i.test(text)]).toEqual([undefined, false]);
});
test('queries by GET', async () => {
  const { status, told } = await send({}, `?${new URLSearchParams({ query: 'query cop { __typename }' })}`);
  expect([status, told.data]).toEqual([401, undefined]);
});
test('mutations by GET', async () => {
  const { status, told } = await send(
    {},
    `?${new URLSearchParams({ query: 'mutation cop { __typename }' })}`,
  );
  expect([[401, 405].includes(status), told.data]).toEqual([true, undefined]);
});
test('forms by POST, which a page of any origin can send', async () => {
  const form = new URLSearchParams({ query: 'query cop { __typename }' });
  const { status, told } = await send({ method: 'POST', body: form });
  expect([status, told.data]).toEqual([415, undefined]);
});
test('unhandled errors', async () => {
  const { told, text } = await cop('qwerty cop { abc }');
  expect([told.errors?.length, /exception|stack|node_modules/i.test(text)]).toEqual([1, false]);
});
