import { createServer } from 'node:http';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';
import axios from 'axios';
import { GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clients } from '../support/clients.ts';

/* test/support/clients.ts says what clients send by default. Here they are, and say it themselves. */

const seen = [];
let server;
let url;
beforeAll(async () => {
  server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    seen.push({ headers: req.headers, body: JSON.parse(Buffer.concat(chunks)) });
    res.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"a":1}}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${server.address().port}/graphql`;
});
afterAll(() => server.close());

const query = 'query A($v: Int) {\n  a\n}';
const asked = { query, variables: { v: 1 }, operationName: 'A' };
const asking = {
  'Node fetch': () =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: clients['Node fetch'].body(asked),
    }),
  'Apollo Client 4': () =>
    new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache() }).query({
      query: gql(query),
      variables: asked.variables,
    }),
  'urql 6': () =>
    new Client({ url, preferGetMethod: false, exchanges: [fetchExchange] })
      .query(query, asked.variables)
      .toPromise(),
  axios: () => axios.post(url, { query, variables: asked.variables, operationName: 'A' }),
  'graphql-request': () => new GraphQLClient(url).request(query, asked.variables),
};
/** Of a version or a machine, not of a client. */
const passing = /\d+(\.\d+)+/g;
const plain = (text) => text.replaceAll(passing, 'n');

for (const [name, ask] of Object.entries(asking)) {
  test(name, async () => {
    seen.length = 0;
    await ask();
    const { headers, body } = seen[0];
    const table = clients[name];
    const sent = Object.fromEntries(
      Object.keys(table.headers).map((header) => [header, plain(headers[header] ?? 'none')]),
    );
    expect(sent).toEqual(
      Object.fromEntries(Object.entries(table.headers).map(([header, value]) => [header, plain(value)])),
    );
    const members = (of) =>
      Object.keys(of)
        .filter((member) => of[member] !== undefined)
        .sort();
    expect(members(body)).toEqual(members(JSON.parse(table.body(asked))));
  });
}
