import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { sampled, soaking } from '../../support/soak.ts';
import { longestTurn } from '../../support/thread-cpu.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web', MAX_BODY_BYTES: String(4 * 2 ** 20) } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** A quarter of the largest body, and all of it when soaking. */
const size = (soaking ? 4 : 1) * 2 ** 20 - 100;
const full = (piece: string) => piece.repeat(Math.floor(size / piece.length));

const added = { ticketMessage: { messageId: expect.any(Number) } };
const refused = { code: 'INVALID_INPUT' };
const nested = '<div>x'.repeat(100_000);
const bodies: [name: string, body: string, result: object][] = [
  [
    'a newsletter',
    full('<table width="600"><tr><td style="font:12px Arial"><p>Hello <b>you</b></p></td></tr></table>\n'),
    added,
  ],
  ['nested elements', nested.padEnd(size, '<br>y'), added],
  ['links', full('<a href="https://x.example/">x</a>'), added],
  ['more nested elements than a message may have', full('<div>x'), refused],
];

test.each(sampled(bodies, bodies.length))(
  `a body of ${soaking ? 4 : 1} MiB holds up nobody for more than 100 ms of CPU, written and read: %s`,
  async (_, body, result) => {
    // The test's own client works in this thread too: what it sends is made before, and what it gets is
    // short.
    const variables = { input: { ticket: { ticketId: 47 }, format: 'HTML', body } };
    const query = `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
    ... on AddTicketMessagePayload { ticketMessage { messageId changes { code } } }
    ... on UserError { code } } }`;
    let answer: unknown;
    const longest = await longestTurn(async () => {
      answer = (await gateway.graphql(query, variables)).data;
    });
    expect(answer).toMatchObject({ addTicketMessage: result });
    expect(longest).toBeLessThan(100);
  },
  120_000,
);
