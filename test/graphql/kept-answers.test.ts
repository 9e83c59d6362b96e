import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { seedDemoDesk } from '../../src/demo.ts';
import { createKeptAnswers } from '../../src/graphql/kept-answers.ts';
import { createTestDatabase } from '../support/database.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { countStatements, type StatementCounter } from './statement-counter.ts';

/*
 * A page that was answered before is given again after one look at whether it is still true. A second gateway on the same database, which
 * keeps nothing, is the judge of what is true.
 */

const parts = new AsyncDisposableStack();
let keeping: Gateway;
let judge: Gateway;
let counter: StatementCounter;
beforeAll(async () => {
  const database = parts.use(await createTestDatabase());
  judge = parts.use(await startGateway({ database, env: { ROLES: 'web', ANSWER_CACHE_BYTES: '0' } }));
  await seedDemoDesk(database.database.desk);
  counter = parts.use(await countStatements(database.connection));
  const connections = { gateway: counter.connection, owner: database.ownerConnection };
  keeping = parts.use(await startGateway({ database, env: { ROLES: 'web' }, overrides: { connections } }));
});
afterAll(() => parts[Symbol.asyncDispose]());

const page = `query ($by: TicketSelector!) { ticket(by: $by) {
  reference subject status messageCount cursor requester { name email }
  messages(first: 50) { edges { cursor node {
    messageId body bodyText visibility redactedAt author { name role email }
    attachments { fileName byteSize sha256 downloadUrl }
    delivery { state subject to recipients { address state } failure }
  } } pageInfo { hasNextPage endCursor } } } }`;

interface Asked {
  readonly query?: string;
  readonly authorization?: string;
  readonly ticketId?: number;
}

/** The answer's text, and how many statements it took. */
async function ask(of: Gateway, { query = page, authorization = asOperator, ticketId = 47 }: Asked = {}) {
  const before = counter.executed;
  const response = await fetch(`${of.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', authorization },
    body: JSON.stringify({ query, variables: { by: { ticketId } } }),
  });
  const text = (await response.text()).replaceAll(of.url, '');
  expect(response.status, text).toBe(200);
  return { text, statements: counter.executed - before };
}

const viewers = { 'an operator': asOperator, 'the requester': asRequester };

/** What everybody is told now is what is true, the first time and again. */
async function expectTruth(): Promise<void> {
  for (const authorization of Object.values(viewers)) {
    const truth = await ask(judge, { authorization });
    expect((await ask(keeping, { authorization })).text).toBe(truth.text);
    expect((await ask(keeping, { authorization })).text).toBe(truth.text);
  }
}

const run = async <D>(query: string, variables: object) => {
  const answer = await keeping.graphql<D>(query, variables);
  expect(answer.errors).toBeUndefined();
  return answer.data;
};
const addMessage = (input: object) =>
  run<{ addTicketMessage: { ticketMessage: { id: string; attachments: { id: string }[] } } }>(
    `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
      ... on AddTicketMessagePayload { ticketMessage { id attachments { id } } } } }`,
    { input: { ticket: { ticketId: 47 }, body: 'Anything new?', ...input } },
  );

/** No mail of the ticket is under way. */
const settleAll = ({ sql }: Gateway = judge) => sql`
  with settled as (
    update deliveries set state = 'SENT', settled_at = now() where ticket_id = 47 and settled_at is null returning id
  ), answered as (update delivery_recipients r set state = 'SENT' from settled s where r.delivery_id = s.id)
  update tickets set last_event_number = last_event_number where id = 47`;

for (const [who, authorization] of Object.entries(viewers)) {
  test(`a page asked for again takes one small statement for ${who}, and is the same to the byte`, async () => {
    await settleAll();
    await ask(keeping, { authorization });
    const made = await ask(judge, { authorization });
    const again = await ask(keeping, { authorization });
    expect(again).toEqual({ text: made.text, statements: 1 });
  });
}

test('after whatever changes it, the next answer is the true one', async () => {
  await settleAll();
  let message = '';
  let attachment = '';
  let delivery = 0;
  const changes: Record<string, () => Promise<unknown>> = {
    'a message': () => addMessage({}),
    'a private note': () => addMessage({ visibility: 'PRIVATE' }),
    'a message by the old endpoint of the other process': () =>
      judge.legacy({ TicketId: 47, Message: 'By the other door' }),
    'a file': async () => {
      const form = new File(['12:00 PAPER JAM'], 'printer.log', { type: 'text/plain' });
      const { data } = await keeping.graphql<{
        addTicketMessage: { ticketMessage: { id: string; attachments: { id: string }[] } };
      }>(
        `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
          ... on AddTicketMessagePayload { ticketMessage { id attachments { id } } } } }`,
        { input: { ticket: { ticketId: 47 }, body: 'The log', attachments: [{ file: null }] } },
        { files: [form] },
      );
      message = data.addTicketMessage.ticketMessage.id;
      attachment = data.addTicketMessage.ticketMessage.attachments[0]!.id;
    },
    'a redacted file': () =>
      run(
        'mutation ($a: ID!) { redactAttachment(input: { attachment: $a }) { ... on RedactAttachmentPayload { alreadyRedacted } } }',
        { a: attachment },
      ),
    'a redacted message': () =>
      run(
        'mutation ($m: ID!) { redactMessage(input: { message: $m }) { ... on RedactMessagePayload { alreadyRedacted } } }',
        { m: message },
      ),
    'a mail': () => addMessage({ email: { from: 'company@domain.com' } }),
    'its first step, of which nothing else tells': async () => {
      const [row] = await judge.sql<{ id: number }[]>`
        update deliveries set state = 'TRANSMITTING', phase = 'CONNECT', attempt = gen_random_uuid(), attempts = 1, lease_until = now() + interval '1 minute'
        where id = (select max(id) from deliveries where ticket_id = 47) and state = 'QUEUED' returning id`;
      delivery = row!.id;
    },
    'its second step': () =>
      judge.sql`update deliveries set state = 'DEFERRED', phase = null, attempt = null, lease_until = null, failure = '451 later' where id = ${delivery}`,
    'the end of it': () => settleAll(),
    'a person with another name': () =>
      judge.sql`update users set name = name || ', PhD' where login = 'requester'`,
    'a person with another address': () =>
      judge.sql`update users set email = 'other@customer.test' where login = 'requester'`,
    'another subject': () => judge.sql`update tickets set subject = 'Two printers on fire' where id = 47`,
  };
  await expectTruth();
  let last = (await ask(judge)).text;
  for (const [what, change] of Object.entries(changes)) {
    await change();
    await expectTruth();
    const now = (await ask(judge)).text;
    expect(now, `${what} can be seen`).not.toBe(last);
    last = now;
  }
});

test('a ticket that is given to somebody else is seen by its old requester no longer', async () => {
  const before = await ask(keeping, { authorization: asRequester });
  expect(before.text).toContain('INC-000047');
  const [old] = await judge.sql<{ requester_id: number }[]>`select requester_id from tickets where id = 47`;
  await judge.sql`insert into users (login, name, role) values ('heir', 'Heir', 'REQUESTER')`;
  await judge.sql`update tickets set requester_id = (select id from users where login = 'heir') where id = 47`;
  expect((await ask(keeping, { authorization: asRequester })).text).toBe('{"data":{"ticket":null}}');
  await judge.sql`update tickets set requester_id = ${old!.requester_id} where id = 47`;
  expect((await ask(keeping, { authorization: asRequester })).text).toBe(before.text);
});

test('what one viewer was answered is nobody else’s answer', async () => {
  await addMessage({ visibility: 'PRIVATE', body: 'between us' });
  expect((await ask(keeping)).text).toContain('between us');
  expect((await ask(keeping)).text).toContain('between us');
  expect((await ask(keeping, { authorization: asRequester })).text).not.toContain('between us');
});

test('a credential without the scope to read is refused what its user was answered', async () => {
  await ask(keeping);
  const { token } = await createToken(keeping.database.database.desk, {
    userId: 1,
    name: 'writes only',
    scopes: ['write'],
  });
  const { text } = await ask(keeping, { authorization: `Bearer ${token}` });
  expect(JSON.parse(text).errors[0].extensions.code).toBe('FORBIDDEN');
});

test('an answer that was read from more than a ticket’s page is made anew each time', async () => {
  await settleAll();
  const queries = {
    mailboxes: page.replace(/\} \}$/, '} mailboxes { address } }'),
    attempts: page.replace('failure', 'failure attempts { number }'),
    lists:
      '{ tickets(first: 5) { edges { node { reference messages(first: 5) { edges { node { body } } } } } } }',
    nodes: `{ node(id: "${btoa('Ticket:47')}") { ... on Ticket { reference messages(first: 5) { edges { node { body } } } } } }`,
  };
  for (const [what, query] of Object.entries(queries)) {
    await ask(keeping, { query });
    expect((await ask(keeping, { query })).statements, what).toBeGreaterThan(1);
  }
});

test('while the database does not answer, nothing is answered from memory', async () => {
  await using gateway = await startGateway({ env: { DATABASE_TIMEOUT: '1' } });
  await settleAll(gateway);
  await ask(gateway);
  await gateway.sql.begin(async (sql) => {
    await sql`lock table tickets in access exclusive mode`;
    const { status, errors } = await gateway.graphql(page, { by: { ticketId: 47 } });
    expect([status, errors?.[0]?.extensions?.code]).toEqual([503, 'UNAVAILABLE']);
  });
});

test('what is kept is bounded in size and in time', () => {
  let now = 0;
  const basis = { tickets: new Map(), people: new Map() };
  // Each takes 600 bytes, and two for each character of it and of its question.
  const answers = createKeptAnswers(2000, () => now);
  const answer = (text: string) => ({ text, byteLength: text.length, basis });
  for (let n = 0; n < 10; n += 1) answers.put(`${n}`, answer('x'.repeat(29)));
  expect([...'0123456789'].filter((key) => answers.get(key) !== undefined)).toEqual(['7', '8', '9']);
  answers.put('too large', answer('x'.repeat(2 ** 20 + 1)));
  expect(answers.get('too large')).toBeUndefined();
  answers.put('many people', {
    ...answer('x'),
    basis: { tickets: new Map(), people: new Map([...Array(20).keys()].map((id) => [id, ''])) },
  });
  expect(answers.get('many people')).toBeUndefined();
  answers.put('9', answer('x'));
  now = 59_999;
  answers.put('a', answer('a'));
  expect(answers.get('a')?.text).toBe('a');
  now = 60_001;
  expect(answers.get('9')).toBeUndefined();
  expect(answers.get('a')?.text).toBe('a');
});
