import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

/**
 * The same by every way in: as a variable and a literal, by the engine and by graphql-js, for whoever asks.
 */
async function askedInEveryWay(plain: string, variables: object): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const query of [
    plain,
    plain.replace(/\bcursor\b(?=[^}]*\})/, 'cursor @skip(if: false)'),
    `${plain} query Other { __typename }`,
  ]) {
    const operationName = query.includes('Other') ? /query (\w+)/.exec(query)![1] : undefined;
    for (const authorization of [asOperator, asRequester, null]) {
      const headers = {
        'content-type': 'application/json',
        ...(authorization === null ? {} : { authorization }),
      };
      const body = JSON.stringify({ query, variables, operationName });
      const answer = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body });
      answers.push([
        answer.status,
        ((await answer.json()) as { errors?: { extensions: { code: string } }[] }).errors?.map(
          ({ extensions }) => extensions.code,
        ),
      ]);
    }
  }
  return answers;
}

test('an input in a variable is answered like a literal one, whatever its field costs', async () => {
  const documents = [
    'query Q($t: TicketSelector!) { ticketEvents(ticket: $t) { cursor } }',
    'query Q($t: TicketSelector!, $first: Int) { ticketEvents(ticket: $t, first: $first) { cursor } }',
    'query Q($t: TicketSelector!) { ticketEvents(ticket: $t, first: 5) { cursor } }',
    'query Q { ticketEvents(ticket: {ticketId: 47}) { cursor } }',
  ];
  const good = [200, undefined];
  const refused = [200, ['UNAUTHENTICATED']];
  for (const document of documents)
    expect([document, await askedInEveryWay(document, { t: { ticketId: 47 } })]).toEqual([
      document,
      Array(3).fill([good, good, refused]).flat(),
    ]);
});

test('a page after SQL of the owner is the true one at once, for whoever may still see it', async () => {
  const query =
    '{ ticket(by: {ticketId: 42}) { subject messages(first: 50) { edges { node { messageId bodyText ' +
    'attachments { fileName } } } } } }';
  const page = async () => JSON.stringify(await gateway.graphql(query, {}, { authorization: asRequester }));
  const first = await page();
  expect(await page()).toBe(first);
  const [row] = await gateway.sql<
    { id: number }[]
  >`select id from messages where ticket_id = 42 and visibility = 'PUBLIC' order by id limit 1`;
  await gateway.sql`update messages set body = 'as the owner says' where id = ${row!.id}`;
  expect(await page()).toContain('as the owner says');
  await gateway.sql`update tickets set subject = 'another subject' where id = 42`;
  expect(await page()).toContain('another subject');
  const [other] = await gateway.sql<{ id: number }[]>`select id from users where login = 'operator'`;
  await gateway.sql`update tickets set requester_id = ${other!.id} where id = 42`;
  expect(await page()).toContain('"ticket":null');
});
