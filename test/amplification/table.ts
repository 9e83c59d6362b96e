import { expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/global-id.ts';
import { asRequester, startGateway } from '../support/gateway.ts';
import { rawPost, sendRaw } from '../support/raw-http.ts';

/*
 * What one request can make the gateway do, a stranger's and a requester's: CPU and memory of the process,
 * and bytes of the answer. The CPU is an upper bound of how long anybody else waits; it is that of the
 * test's own client as well.
 */

const mostCpuMs = 200;
const mostBytes = 64 * 1024 * 1024;
const MiB = 1024 * 1024;

test('one request', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web' } });
  const add = 'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';
  const body = `<p>${'<b>bold</b> text &amp; more '.repeat(30_000)}</p>`;
  await gateway.graphql(
    add,
    { input: { ticket: { ticketId: 47 }, body, format: 'HTML' } },
    { authorization: asRequester },
  );
  const [row] = await gateway.sql<{ id: number }[]>`select max(id) as id from messages`;
  const id = encodeGlobalId('TicketMessage', row!.id);
  const json = (query: string, variables: object = {}) => JSON.stringify({ query, variables });
  const ids = (count: number) => Array.from({ length: count }, () => id);
  const nodes = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on TicketMessage { bodyHtml } } }';
  const deep = (bytes: number) =>
    `{"query":"{ __typename }","extensions":{"a":${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}}}`;
  const requests: Record<string, string> = {
    'nothing, 27 B': json('{ __typename }'),
    'one large body, three times by an id': json(nodes, { ids: ids(3) }),
    'a hundred times by an id': json(nodes, { ids: ids(100) }),
    '230,000 ids': json(nodes, { ids: ids(230_000) }),
    'one body by 90 names': json(
      `{ node(id: "${id}") { ... on TicketMessage { ${Array.from({ length: 90 }, (_, n) => `a${n}: bodyHtml`).join(' ')} } } }`,
    ),
    'every event with its body': json(
      '{ ticketEvents(ticket: {ticketId: 47}) { ticketMessage { body bodyHtml bodyText } } }',
    ),
    'nested arrays, 60 KB': deep(60_000),
    'nested arrays, 6.9 MB': deep(6_900_000),
    'an enum value of 60 KB': json(add, {
      input: { ticket: { ticketId: 47 }, body: 'x', visibility: 'x'.repeat(60_000) },
    }),
    'an enum value of 6.9 MB': json(add, {
      input: { ticket: { ticketId: 47 }, body: 'x', visibility: 'x'.repeat(6_900_000) },
    }),
    'many members, 60 KB': json(add, {
      input: Object.fromEntries(Array.from({ length: 4000 }, (_, n) => [`m${n}`, n])),
    }),
    'a document of 60 KB': json(`{ ${'__typename '.repeat(5400)} }`),
    'a document of 6.9 MB': json(`{ ${'__typename '.repeat(620_000)} }`),
    '[[[[, 64 KB': '['.repeat(64_000),
    '[[[[, 6.9 MB': '['.repeat(6_900_000),
  };
  const out = (line: string) => process.stdout.write(`${line}\n`);
  out(
    '| request | bytes | who | status | answer, bytes | CPU, ms | memory, MiB |\n|---|---:|---|---:|---:|---:|---:|',
  );
  const wrong: string[] = [];
  for (const [name, text] of Object.entries(requests)) {
    for (const [who, headers] of [
      ['a stranger', {}],
      ['a requester', { Authorization: asRequester }],
    ] as const) {
      const request = rawPost(text, { ...headers, Accept: 'application/json' });
      const memory = process.memoryUsage().rss;
      const cpu = process.cpuUsage();
      const { status, body: answer } = await sendRaw(gateway.url, request);
      const { user, system } = process.cpuUsage(cpu);
      const [ms, grown] = [(user + system) / 1000, Math.max(0, process.memoryUsage().rss - memory)];
      out(
        `| ${name} | ${request.length} | ${who} | ${status} | ${answer.length} | ${ms.toFixed(0)} | ${(grown / MiB).toFixed(0)} |`,
      );
      if (ms > mostCpuMs) wrong.push(`${name}, ${who}: ${ms.toFixed(0)} ms`);
      if (grown > mostBytes) wrong.push(`${name}, ${who}: ${(grown / MiB).toFixed(0)} MiB`);
    }
  }
  expect(wrong).toEqual([]);
});
