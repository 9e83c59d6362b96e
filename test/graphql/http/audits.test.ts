import { getIntrospectionQuery } from 'graphql';
import { auditServer } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asOperator, asRequester, type Gateway, multipart, startGateway } from '../../support/gateway.ts';
import { sampled } from '../../support/soak.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const add =
  /* GraphQL */ 'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) ' +
  '{ __typename } }';
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: asOperator, ...headers },
    body,
  });

describe('GraphQL over HTTP', () => {
  const audited = async (fetchFn: typeof fetch, url = gateway.url) => {
    const results = await auditServer({ url: `${url}/graphql`, fetchFn });
    expect(results.filter(({ status }) => status !== 'ok').map(({ name }) => name)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(61);
  };
  const signedIn = ((url: string, init?: RequestInit) =>
    fetch(url, {
      ...init,
      headers: { ...(init?.headers as object), authorization: asOperator },
    })) as typeof fetch;

  it("passes graphql-http's audits, all of them, in production for a known user: some introspect", () =>
    audited(signedIn));

  it('passes them in development', async () => {
    await using embedded = await startGateway({ env: { ROLES: 'web', DATABASE_URL: '' } });
    for (const caller of sampled([fetch, signedIn], 2)) await audited(caller, embedded.url);
  });

  for (const accept of ['application/json', 'application/graphql-response+json']) {
    it(`answers a plain request and an unusual one alike as ${accept}`, async () => {
      const query = '{ viewer { login } }';
      // The second carries a member that the plain case does not know, and goes the long way.
      const [plain, unusual] = await Promise.all([
        post(JSON.stringify({ query }), { accept }),
        post(JSON.stringify({ query, extensions: {} }), { accept }),
      ]);
      expect(plain.headers.get('content-type')).toBe(unusual.headers.get('content-type'));
      expect([plain.status, await plain.json()]).toEqual([unusual.status, await unusual.json()]);
    });
  }

  it('refuses a body over the limit with 413, and its sender gets to read that', async () => {
    const response = await post(
      JSON.stringify({ query: `{ viewer { login } } #${'x'.repeat(26 * 1024 * 1024)}` }),
    );
    expect([response.status, await response.json()]).toEqual([
      413,
      { errors: [expect.objectContaining({ message: expect.any(String) })] },
    ]);
  });
});

describe('what a browser can be made to send', () => {
  it('a mutation by GET is not executed', async () => {
    const before = await gateway.counts();
    const variables = JSON.stringify({ input: { ticket: { ticketId: 47 }, body: 'x' } });
    const url = `${gateway.url}/graphql?${new URLSearchParams({ query: add, variables })}`;
    const response = await fetch(url, { headers: { authorization: asOperator, accept: 'application/json' } });
    expect(response.status).toBe(405);
    expect(await gateway.counts()).toEqual(before);
  });

  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
    it(`a POST of ${type} is not executed`, async () => {
      const body = JSON.stringify({
        query: add,
        variables: { input: { ticket: { ticketId: 47 }, body: 'x' } },
      });
      expect((await post(body, { 'content-type': type })).status).toBe(415);
    });
  }

  it('multipart that no script of ours can have sent is not executed', async () => {
    const body = multipart(
      add,
      { input: { ticket: { ticketId: 47 }, body: 'x', attachments: [{ file: null }] } },
      [Buffer.from('x')],
    );
    const headers = { authorization: asOperator, origin: 'https://elsewhere.test' };
    const response = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body });
    expect(response.status).toBe(403);
  });
});

describe('@oneOf', () => {
  const wrong: Record<string, object> = {
    both: { ticketId: 47, reference: 'INC-000047' },
    none: {},
    null: { ticketId: null },
    'both, one null': { ticketId: 47, reference: null },
  };
  for (const [name, ticket] of Object.entries(wrong)) {
    it(`refuses ${name}, as a variable and as a literal, cold and hot`, async () => {
      const before = await gateway.counts();
      const literal = JSON.stringify(ticket).replace(/"(\w+)":/g, '$1:');
      for (let round = 0; round < 20; round += 1) {
        const variable = await gateway.graphql(add, { input: { ticket, body: 'x' } });
        const inline = await gateway.graphql(
          `mutation { addTicketMessage(input: { ticket: ${literal}, body: "x" }) { __typename } }`,
        );
        // For two keys, one of them null, a variable gets two errors: there is one too many, and none may be
        // null.
        expect([variable.data, inline.data, variable.errors?.length, inline.errors?.length]).toEqual([
          undefined,
          undefined,
          name === 'both, one null' ? 2 : 1,
          1,
        ]);
      }
      expect(await gateway.counts()).toEqual(before);
    });
  }
});

describe('documents that cost more than they are worth', () => {
  const documents: Record<string, string> = {
    aliases: `{ ${Array.from({ length: 101 }, (_, n) => `a${n}: viewer { login }`).join(' ')} }`,
    'the same field over and over': `{ ${'viewer { login } '.repeat(501)} }`,
    'unknown directives': `{ viewer { login ${'@x '.repeat(60)} } }`,
    depth: `{ tickets ${'{ edges { node { messages '.repeat(8)} { totalCount } ${'} } } '.repeat(8)} }`,
    'mutations in a row': `mutation { ${Array.from(
      { length: 30 },
      (_, n) =>
        `a${n}: addTicketMessage(input` +
        ':' +
        ' ' +
        '{ticket: ' +
        '{ticketId: ' +
        '1}, ' +
        'body: ' +
        '"x"}) ' +
        '{ ' +
        '__typename ' +
        '}',
    ).join(' ')} }`,
    'a fragment in a circle':
      '{ viewer { ...a } } fragment a on Viewer { ...b } fragment b on Viewer { ...a }',
    tokens: `{ viewer { ${'login '.repeat(5000)} } }`,
    'pages of pages':
      '{ tickets(first: 100) { edges { node { messages(first: 100) { edges { node { ticket { ' +
      'messages(first: 100) { edges { node { id } } } } } } } } } } }',
  };
  for (const [name, query] of Object.entries(documents)) {
    it(`refuses ${name}, with a few errors at most and nothing executed`, async () => {
      const before = await gateway.counts();
      const answer = await gateway.graphql(query);
      expect(answer.data ?? null).toBeNull();
      expect(answer.errors!.length).toBeGreaterThan(0);
      expect(answer.errors!.length).toBeLessThanOrEqual(3);
      expect(JSON.stringify(answer.errors)).not.toContain('Something went wrong');
      expect(await gateway.counts()).toEqual(before);
    });
  }

  it('counts pages whose sizes are variables with each request, hot as cold', async () => {
    const query = `query ($n: Int, $m: Int = 100) { tickets(first: $n) { edges { node { messages(last: $m) {
      edges { node { ticket {
      messages(first: $n) { edges { node { id } } } } } } } } } } }`;
    for (const [n, m, refused] of [
      [1, 1, false],
      [100, null, true],
      [100, 1, false],
      [100, undefined, true],
      [2, 1, false],
    ] as const) {
      const answer = await gateway.graphql(query, { n, m });
      expect([n, m, answer.errors?.[0]?.extensions?.code]).toEqual([
        n,
        m,
        refused ? 'DOCUMENT_TOO_COMPLEX' : undefined,
      ]);
    }
  });

  it('refuses a batch', async () => {
    const response = await post(
      JSON.stringify(Array.from({ length: 10 }, () => ({ query: '{ viewer { login } }' }))),
    );
    expect(response.status).toBe(400);
  });
});

describe('introspection on a desk that is not a demo', () => {
  const query = '{ __schema { types { name } } }';
  it('is closed however it is written', async () => {
    for (const gap of ['', ' ', '\n', '\t', ',', '#\n']) {
      const answer = await gateway.graphql(
        `{ __type${gap}(name: "Ticket") { fields { name } } }`,
        {},
        { authorization: null },
      );
      expect(answer.data).toBeUndefined();
    }
  });
  it('is closed to strangers, who are not told names either', async () => {
    const answer = await gateway.graphql(query, {}, { authorization: null });
    expect(answer.data).toBeUndefined();
    const guess = await gateway.graphql('{ viewr { login } }', {}, { authorization: null });
    expect(JSON.stringify(guess.errors)).not.toMatch(/Did you mean/);
  });
  it('is open to users', async () => {
    const answer = await gateway.graphql<{ __schema: object }>(query, {}, { authorization: asRequester });
    expect(answer.data.__schema).toBeDefined();
  });
  it('answers the query of tools, and not a hundred of it at once', async () => {
    const whole = getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, oneOf: true });
    const once = await gateway.graphql<object>(whole, {}, { authorization: asRequester });
    expect([once.status, once.errors]).toEqual([200, undefined]);
    const types = 'types { name fields { name args { name type { name } } type { name ofType { name } } } }';
    const often = Array.from({ length: 99 }, (_, n) => `a${n}: __schema { ...S }`).join(' ');
    const answer = await gateway.graphql(
      `{ ${often} } fragment S on __Schema { ${types} }`,
      {},
      { authorization: asRequester },
    );
    expect(answer.errors).toMatchObject([{ extensions: { code: 'DOCUMENT_TOO_COMPLEX' } }]);
  });
});
