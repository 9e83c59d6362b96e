import { type FieldNode, GraphQLError, getOperationAST, type ValidationContext } from 'graphql';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createEnveloped, type OperationPlugin } from '../../src/graphql/execute/create-enveloped.ts';
import { openStream } from '../support/event-stream.ts';
import { asOperator, type Gateway, multipart, startGateway } from '../support/gateway.ts';

/* A plugin that somebody adds to Yoga runs for every operation, whoever the client is and however it asks. */

const seen: string[] = [];
const counting: OperationPlugin = {
  onParse: () => void seen.push('parse'),
  onValidate: () => void seen.push('validate'),
  onContextBuilding: () => void seen.push('context'),
  onExecute: () => void seen.push('execute'),
  onSubscribe: () => void seen.push('subscribe'),
};
let isChanging = false;
/** Meanwhile it adds a rule of validation, and something beside each answer; one operation fails by it. */
const changing: OperationPlugin = {
  onValidate({ addValidationRule }) {
    if (!isChanging) return;
    addValidationRule((context: ValidationContext) => ({
      Field({ name }: FieldNode) {
        if (name.value === 'id') context.reportError(new GraphQLError('No ids'));
      },
    }));
  },
  onExecute({ args }) {
    if (!isChanging) return undefined;
    return {
      onExecuteDone({ result, setResult }) {
        const fault = new GraphQLError('x', { originalError: new Error('a secret') });
        const fails = getOperationAST(args.document)?.name?.value === 'Failing';
        setResult(fails ? { errors: [fault] } : { ...result, extensions: { seen: true } });
      },
    };
  },
};
let gateway: Gateway;
beforeAll(async () => {
  const overrides = { operationPlugins: [counting, changing] };
  gateway = await startGateway({ env: { ROLES: 'web' }, overrides });
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function stepsOf(ask: () => Promise<unknown>): Promise<string[]> {
  seen.length = 0;
  await ask();
  return [...seen];
}
const all = ['parse', 'validate', 'context', 'execute'];
const add = 'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';
const input = { ticket: { ticketId: 47 }, body: 'x' };

test('it sees a POST of JSON by each client’s Accept, cold and hot', async () => {
  for (const accept of [
    '*/*',
    'application/json',
    'application/graphql-response+json,application/json;q=0.9',
    'application/json, text/plain, */*',
  ])
    for (let round = 0; round < 3; round += 1)
      expect(
        await stepsOf(() => gateway.graphql('{ viewer { login } }', {}, { headers: { accept } })),
      ).toEqual(all);
});

test('it sees documents that the engine leaves to graphql-js', async () => {
  for (const query of [
    '{ viewer { login @skip(if: false) } }',
    '{ __schema { queryType { name } } }',
    'query A { __typename }',
  ])
    expect(await stepsOf(() => gateway.graphql(query))).toEqual(all);
});

test('it sees a GET, a form, a stream of one result and a subscription', async () => {
  const headers = { authorization: asOperator };
  expect(
    await stepsOf(async () => (await fetch(`${gateway.url}/graphql?query={__typename}`, { headers })).text()),
  ).toEqual(all);
  const form = multipart(add, { input: { ...input, attachments: [{ file: null }] } }, [Buffer.from('x')]);
  const send = async () =>
    (await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body: form })).text();
  expect(await stepsOf(send)).toEqual(all);
  const one = async () => (await openStream(gateway.url, { query: '{ __typename }' }, headers)).next();
  expect(await stepsOf(one)).toEqual(all);
  const watching = async () => {
    const query = 'subscription { ticketEvents(ticket: {ticketId: 47}) { cursor } }';
    const stream = await openStream(gateway.url, { query }, headers);
    await stream.next();
    stream.leave();
  };
  expect(await stepsOf(watching)).toEqual(['parse', 'validate', 'context', 'subscribe']);
});

test('it sees what the legacy door asks of our own schema', async () => {
  expect(await stepsOf(() => gateway.legacy({ TicketId: 47, Message: 'x' }))).toEqual(all);
  const both = { TicketId: 47, TicketREF: 'INC-000047', Message: 'x' };
  expect(await stepsOf(() => gateway.legacy(both))).toEqual([...all, ...all]);
});

test('it sees what is refused, as far as it came', async () => {
  expect(await stepsOf(() => gateway.graphql('{'))).toEqual(['parse']);
  expect(await stepsOf(() => gateway.graphql('{ nothing }'))).toEqual(['parse', 'validate']);
  expect(await stepsOf(() => gateway.graphql(add, {}))).toEqual(all);
});

test('one whose hooks would never be called is refused at start, not passed over', () => {
  for (const hook of [
    'onYogaInit',
    'onRequest',
    'onRequestParse',
    'onParams',
    'onExecutionResult',
    'onResultProcess',
    'onResponse',
  ]) {
    const plugin = { [hook]: () => {} } as OperationPlugin;
    expect(() => createEnveloped({ production: true, responseBytes: 1, plugins: [plugin] })).toThrow(hook);
  }
});

test('a plugin may change what is allowed, run and answered; its own fault is masked', async () => {
  isChanging = true;
  onTestFinished(() => {
    isChanging = false;
  });
  expect(await gateway.graphql('{ __typename }')).toMatchObject({
    data: { __typename: 'Query' },
    extensions: { seen: true },
  });
  const errorsOf = async (query: string) => (await gateway.graphql(query)).errors;
  expect(await errorsOf('{ viewer { id } }')).toMatchObject([{ message: 'No ids' }]);
  // The specified rules are asked as well.
  expect(await errorsOf('{ viewer { nothing } }')).toMatchObject([
    { message: expect.stringContaining('Cannot query field') },
  ]);
  expect(await errorsOf('query Failing { __typename }')).toMatchObject([
    { message: expect.stringMatching(/^Something went wrong on our side/), extensions: { code: 'INTERNAL' } },
  ]);
});
