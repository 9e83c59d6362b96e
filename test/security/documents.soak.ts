import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../support/gateway.ts';

let gateway: Gateway;
let collect: () => void;
beforeAll(async () => {
  setFlagsFromString('--expose-gc');
  collect = runInNewContext('gc');
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const many = (count: number, text: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => text(n)).join(' ');
const typenames = many(480, () => '__typename');
const refusal = many(20, (n) => `a${n}: code`);

const floods: [which: string, count: number, document: string][] = [
  // Fourteen types in the union: each field of the fragment is one in each of them.
  [
    'short ones that mean much',
    1000,
    `mutation M#($i: AddTicketMessageInput!) { ${many(
      6,
      (n) => `m${n}: addTicketMessage(input: $i) { ...F }`,
    )} }
    fragment F on AddTicketMessageResult { __typename ... on UserError { ${refusal} code message path } }`,
  ],
  [
    'as short ones, within what is planned',
    1000,
    'mutation M#($i: AddTicketMessageInput!) { addTicketMessage(input: $i) { ... on UserError { ' +
      `${refusal} } } }`,
  ],
  ['long ones', 300, `query Q#($by: TicketSelector!) { ${typenames} ticket(by: $by) { subject } }`],
  [
    'long ones with a directive',
    300,
    `query Q#($by: TicketSelector!) { ${typenames} ticket(by: $by) { subject @skip(if: true) } }`,
  ],
];

test.each(floods)(
  'a stranger who sends documents, never the same, does not fill the memory: %s',
  async (_which, count, document) => {
    const send = async (n: number) => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ query: document.replace('#', String(n)) }),
      });
      // Valid, and executed if it had its variable.
      expect(await response.text()).toContain('of required type');
    };
    await send(count);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < count; n++) await send(n);
    collect();
    expect((process.memoryUsage().heapUsed - before) / 2 ** 20).toBeLessThan(80);
  },
);
