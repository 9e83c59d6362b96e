import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const query = `mutation ($key: String) {
  addTicketMessage(input: { ticket: { ticketId: 47 }, body: "Once", idempotencyKey: $key }) {
    ... on AddTicketMessagePayload { ticketMessage { messageId } }
    ... on UserError { code message }
    ... on InvalidInputError { problems { path } }
  }
}`;
interface Sent {
  status: number;
  text: string;
}

/** `fetch` joins repeated headers and trims them; Node's own client sends what it is given. */
function send(path: string, body: object, keys: readonly string[]): Promise<Sent> {
  const { promise, resolve, reject } = Promise.withResolvers<Sent>();
  const headers = [
    ...['Host', new URL(gateway.url).host, 'Authorization', asOperator],
    ...['Content-Type', 'application/json', 'Accept', 'application/json'],
    ...keys.flatMap((key) => ['Idempotency-Key', key]),
  ];
  const call = request(gateway.url + path, { method: 'POST', headers }, async (res) => {
    const chunks = await res.toArray();
    resolve({ status: res.statusCode!, text: Buffer.concat(chunks).toString() });
  });
  call.on('error', reject).end(JSON.stringify(body));
  return promise;
}

const doors = {
  graphql: async (...keys: string[]) => {
    const { status, text } = await send('/graphql', { query }, keys);
    const id = /"messageId":(\d+)/.exec(text)?.[1];
    return { status, id, isInvalid: text.includes('INVALID_INPUT'), text };
  },
  legacy: async (...keys: string[]) => {
    const body = { TicketId: 47, Message: 'Once' };
    const { status, text } = await send('/api/Tickets/NewMessage', body, keys);
    const id = /"TicketMessageId":(\d+)/.exec(text)?.[1];
    return { status, id, isInvalid: status === 400 && text.includes('Idempotency-Key'), text };
  },
};

const messages = async () => (await gateway.counts()).messages!;

describe('the Idempotency-Key header', () => {
  test('as a structured string, as plain text, as the field and by either door is one key', async () => {
    const before = await messages();
    const first = await doors.graphql('"one key"');
    expect(first.id).toMatch(/^\d+$/);
    for (const again of [doors.graphql('one key'), doors.legacy('"one key"'), doors.legacy('one key')])
      expect((await again).id).toBe(first.id);
    const field = await gateway.graphql<object>(
      query,
      { key: 'one key' },
      { headers: { 'idempotency-key': '"one key"' } },
    );
    expect(field.data).toMatchObject({
      addTicketMessage: { ticketMessage: { messageId: Number(first.id) } },
    });
    expect(await messages()).toBe(before + 1);
  });

  test('has its escapes undone', async () => {
    const first = await doors.graphql(String.raw`"a \"b\" \\c"`);
    const field = await gateway.graphql<object>(query, { key: String.raw`a "b" \c` });
    expect(field.data).toMatchObject({
      addTicketMessage: { ticketMessage: { messageId: Number(first.id) } },
    });
  });

  test('is the same key whatever parameters it has, because none has a meaning', async () => {
    const first = await doors.graphql('"plain"');
    const parameters = [';x=1', '; a; b="c;\\"d"; e=:AAA=:;f=?0', ';*a=1.5', ';d=%"f%c3%bc";t=@1'];
    for (const key of parameters.map((each) => `"plain"${each}`))
      expect((await doors.graphql(key)).id).toBe(first.id);
  });

  for (const [door, say] of Object.entries(doors)) {
    test(`sent twice is a bad request, and nothing is written (${door})`, async () => {
      const before = await gateway.counts();
      for (const keys of [
        ['k', 'k'],
        ['"k"', 'k'],
        ['k', ''],
        ['a', 'b', 'c'],
      ]) {
        const { status, text } = await say(...keys);
        expect([status, text]).toEqual([400, expect.stringContaining('Idempotency-Key')]);
      }
      expect(await gateway.counts()).toEqual(before);
    });

    test(`that is blank, too long or malformed is refused as input (${door})`, async () => {
      const before = await gateway.counts();
      const wrong = [
        '',
        '""',
        '" "',
        `"${'x'.repeat(256)}"`,
        'x'.repeat(256),
        '"open',
        '"a"b"',
        '"a\\b"',
        '"',
        '"a";',
        '"a" ;x=1',
        '"a";X=1',
        '"a";x="',
        '"a", "b"',
        'k\u00e9y',
      ];
      for (const key of wrong)
        expect([key, await say(key)]).toEqual([key, expect.objectContaining({ isInvalid: true })]);
      expect(await gateway.counts()).toEqual(before);
      expect((await say('"'.concat('x'.repeat(255), '"'))).id).toMatch(/^\d+$/);
    });
  }

  test('that is malformed, though of visible characters, is told how keys are written', async () => {
    for (const [door, key] of [
      [doors.graphql, '"open'],
      [doors.legacy, '"a"b"'],
    ] as const)
      expect((await door(key)).text).toContain('empty or malformed: write key or \\"key\\"');
  });

  test('with a comma in it is one key', async () => {
    const first = await doors.graphql('k, k');
    expect((await doors.legacy('"k, k"')).id).toBe(first.id);
  });
});
