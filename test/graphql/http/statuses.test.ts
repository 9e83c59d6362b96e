import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, basic, type Gateway, startGateway } from '../../support/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const add = 'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';
const hash = {
  persistedQuery: {
    version: 1,
    sha256Hash: 'ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38',
  },
};

/**
 * What is asked, its statuses as `application/json` and as `application/graphql-response+json`, and its
 * error's code.
 */
const cases: Record<string, [body: string, json: number, response: number, code: string | undefined]> = {
  'a query': ['{"query":"{ __typename }"}', 200, 200, undefined],
  'a query and members that nobody knows': [
    '{"query":"{ __typename ' +
      '}","operationType":"query","id":1,"key":"x","extensions":{"x":1},"documentId":"y"}',
    200,
    200,
    undefined,
  ],
  'a query and its hash': [
    JSON.stringify({ query: '{ __typename }', extensions: hash }),
    200,
    200,
    undefined,
  ],
  'a hash alone': [JSON.stringify({ extensions: hash }), 200, 400, 'PERSISTED_QUERY_NOT_SUPPORTED'],
  'a refused field': ['{"query":"{ ticket(by: {ticketId: 999}) { id } }"}', 200, 200, undefined],
  'a syntax error': ['{"query":"{"}', 200, 400, 'GRAPHQL_PARSE_FAILED'],
  'an empty document': ['{"query":""}', 200, 400, 'GRAPHQL_PARSE_FAILED'],
  'a field that is not there': ['{"query":"{ nothing }"}', 200, 400, 'GRAPHQL_VALIDATION_FAILED'],
  'an unknown operation': [
    '{"query":"query A { __typename }","operationName":"B"}',
    200,
    400,
    'OPERATION_RESOLUTION_FAILURE',
  ],
  'two operations and no name': [
    '{"query":"query A { __typename } query B { __typename }"}',
    200,
    400,
    'OPERATION_RESOLUTION_FAILURE',
  ],
  'a fragment alone': [
    '{"query":"fragment F on Query { __typename }"}',
    200,
    400,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  'a missing variable': [JSON.stringify({ query: add }), 200, 400, 'BAD_USER_INPUT'],
  'a wrong variable': [JSON.stringify({ query: add, variables: { input: 7 } }), 200, 400, 'BAD_USER_INPUT'],
  'too large a document': [
    JSON.stringify({ query: `{ ${'__typename '.repeat(501)} }` }),
    200,
    400,
    'DOCUMENT_TOO_LARGE',
  ],
  'what is no JSON': ['{"query":', 400, 400, 'BAD_REQUEST'],
  nothing: ['', 400, 400, 'BAD_REQUEST'],
  'an object without members': ['{}', 400, 400, 'BAD_REQUEST'],
  'a list': ['[{"query":"{ __typename }"}]', 400, 400, 'BAD_REQUEST'],
  'a text': ['"{ __typename }"', 400, 400, 'BAD_REQUEST'],
  null: ['null', 400, 400, 'BAD_REQUEST'],
  'a query that is null': ['{"query":null}', 400, 400, 'BAD_REQUEST'],
  'a query that is a number': ['{"query":7}', 400, 400, 'BAD_REQUEST'],
  'variables that are a list': ['{"query":"{ __typename }","variables":[7]}', 400, 400, 'BAD_REQUEST'],
  'variables that are a text': ['{"query":"{ __typename }","variables":"{}"}', 400, 400, 'BAD_REQUEST'],
  'extensions that are a text': ['{"query":"{ __typename }","extensions":"x"}', 400, 400, 'BAD_REQUEST'],
  'a name that is an object': ['{"query":"{ __typename }","operationName":{}}', 400, 400, 'BAD_REQUEST'],
};

describe('statuses are those of GraphQL over HTTP', () => {
  for (const [name, [body, json, response, code]] of Object.entries(cases)) {
    test(`${name}: ${json} as JSON, ${response} in application/graphql-response+json`, async () => {
      for (const [accept, status] of [
        ['application/json', json],
        ['application/graphql-response+json', response],
      ] as const) {
        const answer = await fetch(`${gateway.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept, authorization: asOperator },
          body,
        });
        const told = (await answer.json()) as { data?: object; errors?: { extensions: { code: string } }[] };
        expect([answer.status, answer.headers.get('content-type')]).toEqual([
          status,
          `${accept}; charset=utf-8`,
        ]);
        if (code === undefined) expect(told.data).toBeDefined();
        else
          expect([told.data, told.errors!.map(({ extensions }) => extensions.code)]).toEqual([
            undefined,
            [code],
          ]);
      }
    });
  }

  test('a hash alone is answered in the words by which clients fall back to the document', async () => {
    const { errors } = (await (
      await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ extensions: hash }),
      })
    ).json()) as { errors: { message: string }[] };
    expect(errors.map(({ message }) => message)).toEqual(['PersistedQueryNotSupported']);
  });
});

/** The response media type of errors before execution, by Accept header. */
const problemTypes = {
  'application/graphql-response+json,application/json;q=0.9':
    'application/graphql-response+json; charset=utf-8',
  'application/json': 'application/json; charset=utf-8',
  'text/event-stream': 'application/json; charset=utf-8',
  'text/event-stream, application/graphql-response+json;q=0.1':
    'application/graphql-response+json; charset=utf-8',
  'multipart/mixed;subscriptionSpec=1.0, application/json;q=0.5': 'application/json; charset=utf-8',
  'multipart/mixed': 'application/json; charset=utf-8',
  'application/json;q=0.1, text/html, */*;q=0.2': 'application/graphql-response+json; charset=utf-8',
  '*/*': 'application/json; charset=utf-8',
  '': 'application/json; charset=utf-8',
};
/** The same question, by so many of the ways that bring one. */
function askedBy(url: string, accept: string, authorization: string, ways = 3): Promise<Response>[] {
  const headers = { ...(accept === '' ? {} : { accept }), authorization };
  const query = '{ __typename }';
  const form = new FormData();
  form.set('operations', JSON.stringify({ query }));
  form.set('map', '{}');
  const json = { ...headers, 'content-type': 'application/json' };
  const all = [
    () => fetch(`${url}/graphql`, { method: 'POST', headers: json, body: JSON.stringify({ query }) }),
    () => fetch(`${url}/graphql`, { method: 'POST', headers, body: form }),
    () => fetch(`${url}/graphql?${new URLSearchParams({ query })}`, { headers }),
  ];
  return all.slice(0, ways).map((ask) => ask());
}

test('a wrong credential is 401 in the form that was asked for, by whatever brings it', async () => {
  for (const [accept, type] of Object.entries(problemTypes)) {
    for (const answer of await Promise.all(askedBy(gateway.url, accept, 'Bearer wrong'))) {
      expect([accept, answer.status, answer.headers.get('content-type')]).toEqual([accept, 401, type]);
      // Without a challenge, or a browser would ask for a password in the middle of a page.
      expect(answer.headers.get('www-authenticate')).toBeNull();
      expect(await answer.json()).toEqual({
        errors: [{ message: expect.any(String), extensions: { code: 'BAD_CREDENTIAL', retryable: false } }],
      });
    }
  }
  const byPassword = await askedBy(gateway.url, '', basic('operator', 'wrong'), 1)[0]!;
  expect([byPassword.status, byPassword.headers.get('www-authenticate')]).toEqual([401, null]);
});

test('a sign-in without a database is 503 in the form that was asked for', async () => {
  await using slow = await startGateway({ env: { ROLES: 'web', DATABASE_TIMEOUT: '1' } });
  await slow.sql.begin(async (sql) => {
    await sql`lock table users in access exclusive mode`;
    await Promise.all(
      Object.entries(problemTypes).map(async ([accept, type]) => {
        const answers = askedBy(slow.url, accept, asOperator, accept === '' ? 3 : 1);
        for (const answer of await Promise.all(answers)) {
          expect([accept, answer.status, answer.headers.get('content-type')]).toEqual([accept, 503, type]);
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
          expect([answer.headers.get('cache-control'), answer.headers.get('vary')]).toEqual([
            'no-store',
            'Accept, Authorization',
          ]);
          const { errors } = (await answer.json()) as { errors: object[] };
          expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE', retryable: true } }]);
        }
      }),
    );
  });
});

test('only POST and GET ask, and a mutation is never asked by GET', async () => {
  const headers = { authorization: asOperator };
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const answer = await fetch(`${gateway.url}/graphql`, { method, headers });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, POST']);
  }
  const before = await gateway.counts();
  const query = 'mutation { addTicketMessage(input: {ticket: {ticketId: 47}, body: "x"}) { __typename } }';
  for (const more of [{}, { operationName: 'M' }]) {
    const document =
      'operationName' in more ? `query Q { __typename } ${query.replace('mutation', 'mutation M')}` : query;
    const answer = await fetch(
      `${gateway.url}/graphql?${new URLSearchParams({ query: document, ...more })}`,
      { headers },
    );
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  }
  expect(await gateway.counts()).toEqual(before);
});

test('a GET asks as a POST does, with a name, variables and extensions', async () => {
  const ask = async (parameters: Record<string, string>) => {
    const url = `${gateway.url}/graphql?${new URLSearchParams(parameters)}`;
    const answer = await fetch(url, { headers: { authorization: asOperator } });
    return [answer.status, await answer.json()];
  };
  const query = 'query A { __typename } query B ($id: Int!) { ticket(by: {ticketId: $id}) { reference } }';
  expect(await ask({ query, operationName: 'B', variables: '{"id":47}', extensions: '{"a":1}' })).toEqual([
    200,
    { data: { ticket: { reference: 'INC-000047' } } },
  ]);
  expect((await ask({ query, operationName: 'B', variables: '[1]' }))[0]).toBe(400);
  expect((await ask({ query, operationName: 'B', variables: '{' }))[0]).toBe(400);
  expect((await ask({ query: '{ __typename }', variables: '', operationName: '' }))[1]).toMatchObject({
    data: {},
  });
  expect((await ask({}))[0]).toBe(400);
});

test('a GET whose parameters are not UTF-8 is refused, and none is asked for by other letters', async () => {
  const search = (text: string) =>
    `/graphql?query=${encodeURIComponent('query($t:String!){search(text:$t,first:1){edges{cursor}}}')}` +
    `&variables=%7B%22t%22:%22${text}%22%7D`;
  const ask = async (path: string) =>
    (await fetch(gateway.url + path, { headers: { authorization: asOperator } })).status;
  expect(await Promise.all(['caf%E9', '%ED%A0%80', '%C5'].map((text) => ask(search(text))))).toEqual([
    400, 400, 400,
  ]);
  expect(
    await Promise.all(['caf%C3%A9', 'caf%EF%BF%BD', '100%', 'a+b'].map((text) => ask(search(text)))),
  ).toEqual([200, 200, 200, 200]);
});
