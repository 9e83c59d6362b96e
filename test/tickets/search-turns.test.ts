import { expect, test } from 'vitest';
import { countWaiting } from '../support/database.ts';
import { asOperator, asRequester, startGateway } from '../support/gateway.ts';

/** A document that searches twenty times, in messages and in lists of tickets. */
const searches = `{ ${Array.from({ length: 10 }, (_, n) =>
  [
    `m${n}: search(text: "printer ${n}") { pageInfo { endCursor } }`,
    `t${n}: tickets(filter: { text: "printer ${n}" }, first: 1) { nodes { id } }`,
  ].join(' '),
).join(' ')} }`;

test('a user whose searches take long keeps nobody else from reading or searching', async () => {
  await using gateway = await startGateway({
    env: { ROLES: 'web', DATABASE_POOL: '4', DATABASE_TIMEOUT: '120' },
  });
  const { sql } = gateway;
  let many: ReturnType<typeof gateway.graphql> | undefined;
  await sql.begin(async (tx) => {
    // What a search reads, and nothing else does.
    await tx`lock table message_search, ticket_search in access exclusive mode`;
    many = gateway.graphql(searches, {}, { authorization: asOperator });
    await expect.poll(() => countWaiting(sql)).toBe(2);
    for (const authorization of [asOperator, asRequester]) {
      const listed = await gateway.graphql('{ tickets(first: 1) { nodes { id } } }', {}, { authorization });
      expect([listed.status, listed.errors]).toEqual([200, undefined]);
    }
    expect(await countWaiting(sql)).toBe(2);
  });
  const found = await many!;
  expect([found.status, found.errors]).toEqual([200, undefined]);
  expect(Object.keys(found.data as object)).toHaveLength(20);
});
