import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Documents } from '../../src/graphql/engine/document-cache.ts';
import { schema } from '../../src/graphql/execute/schema.ts';
import { openStream } from '../support/event-stream.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { rawPost, sendRaw } from '../support/raw-http.ts';
import { referenceMs } from '../support/thread-cpu.ts';

/* What one caller can make the gateway do is limited by bytes and rows, not only by fields. */

const stallLimits = { checkEveryMs: 100, checks: 5, leastBytes: 1024 };
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    env: { ROLES: 'web', MAX_ANSWER_BYTES: '262144' },
    overrides: { stallLimits },
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const KiB = 1024;
const post = (body: string, authorization?: string, url = gateway.url) =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body,
  });
const padded = (bytes: number) => {
  const body = JSON.stringify({ query: '{ __typename }', extensions: { a: '' } });
  return body.replace('""', `"${'x'.repeat(bytes - body.length)}"`);
};

describe('a stranger’s body', () => {
  test('is read up to 64 KiB, announced or in chunks, and not a byte further', async () => {
    expect((await post(padded(64 * KiB))).status).toBe(200);
    expect((await post(padded(64 * KiB + 1))).status).toBe(413);
    expect((await post(padded(6 * 1024 * KiB))).status).toBe(413);
    const chunked = Buffer.concat([
      Buffer.from(
        'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: ' +
          'chunked\r\n\r\n',
      ),
      ...Array.from({ length: 5 }, () => Buffer.from(`4000\r\n${'x'.repeat(0x4000)}\r\n`)),
    ]);
    const { status, body } = await sendRaw(gateway.url, chunked);
    expect([status, JSON.parse(body).errors[0].extensions]).toEqual([413, { code: 'PAYLOAD_TOO_LARGE' }]);
    expect((await post(padded(6 * 1024 * KiB), asRequester)).status).toBe(200);
  });

  test('as a form is read no further either', async () => {
    const form = new FormData();
    form.set(
      'operations',
      JSON.stringify({ query: '{ __typename }', extensions: { a: 'x'.repeat(70 * KiB) } }),
    );
    form.set('map', '{}');
    const answer = await fetch(`${gateway.url}/graphql`, { method: 'POST', body: form });
    expect(answer.status).toBe(413);
  });

  test('costs little, whatever is in it', async () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    const bodies = [
      `{"query":"{ __typename }","extensions":{"a":${deep}}}`,
      `{"query":"{ __typename }","variables":{"a":${deep}}}`,
      JSON.stringify({
        query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
        variables: { ids: Array(16_000).fill('x') },
      }),
      JSON.stringify({
        query: 'mutation ($i: AddTicketMessageInput!) { addTicketMessage(input: $i) { __typename } }',
        variables: { i: { visibility: 'x'.repeat(60_000) } },
      }),
      '['.repeat(64_000),
    ];
    for (const body of bodies) {
      const answer = await (await post(body)).text();
      expect(answer.length).toBeLessThan(5000);
    }
  });
});

describe('an answer larger than MAX_ANSWER_BYTES is refused while it is made', () => {
  const long = 'x'.repeat(100_000);
  const add = (body: string) =>
    gateway.graphql(
      'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }',
      { input: { ticket: { ticketId: 46 }, body } },
    );
  beforeEach(async () => {
    for (let n = 0; n < 4; n += 1) await add(`${n} ${long}`);
  });
  const page = 'ticket(by: {ticketId: 46}) { messages(last: 4) { edges { node { body } } } }';
  const queries: Record<string, string> = {
    'a long page': `{ ${page} }`,
    'the same, as graphql-js makes it': `{ ${page.replace('body', 'body @skip(if: false)')} }`,
    'one body by many names':
      '{ ticket(by: {ticketId: 46}) { messages(last: 1) { edges { node { ' +
      `${Array.from({ length: 9 }, (_, n) => `b${n}: body`).join(' ')} } } } } }`,
    'one body in three forms':
      '{ ticket(by: {ticketId: 46}) { messages(last: 1) { edges { node { body bodyText bodyHtml } } } } }',
    events: '{ ticketEvents(ticket: {ticketId: 46}) { ticketMessage { body } } }',
    'one body by many names beside the schema':
      '{ __schema { queryType { name } } ticket(by: {ticketId: ' +
      '46}) ' +
      '{ ' +
      'messages(last: ' +
      '1) ' +
      '{ ' +
      'nodes ' +
      '{ ' +
      `${Array.from({ length: 9 }, (_, n) => `b${n}: body`).join(' ')} } } } }`,
  };
  for (const [name, query] of Object.entries(queries)) {
    test(name, async () => {
      const { data, errors } = await gateway.graphql(query);
      expect([data, errors!.map(({ extensions }) => extensions)]).toEqual([
        null,
        [{ code: 'ANSWER_TOO_LARGE', limitBytes: 262_144 }],
      ]);
      const url = `${gateway.url}/graphql?${new URLSearchParams({ query })}`;
      const got = await (await fetch(url, { headers: { authorization: asOperator } })).text();
      expect(got).toContain('ANSWER_TOO_LARGE');
      const stream = await openStream(gateway.url, { query }, { authorization: asOperator });
      expect((await stream.next())!.data!.errors![0]!.extensions.code).toBe('ANSWER_TOO_LARGE');
      const form = new FormData();
      form.set('operations', JSON.stringify({ query }));
      form.set('map', '{}');
      const headers = { authorization: asOperator };
      const sent = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body: form });
      expect([sent.status, await sent.text()]).toEqual([200, expect.stringContaining('ANSWER_TOO_LARGE')]);
    });
  }

  test('an event of a subscription, by either transport, and the next one is told', async () => {
    const names = Array.from({ length: 9 }, (_, n) => `b${n}: body`).join(' ');
    const query =
      'subscription ($after: String) { ticketEvents(ticket: {ticketId: 46}, after: $after) ' +
      `{ ticketMessage { ${names} } } }`;
    const { data } = await gateway.graphql<{ ticket: { cursor: string } }>(
      '{ ticket(by: {ticketId: 46}) { cursor } }',
    );
    const body = { query, variables: { after: data.ticket.cursor } };
    const stream = await openStream(gateway.url, body, { authorization: asOperator });
    const leaving = new AbortController();
    const parts = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', accept: 'multipart/mixed;subscriptionSpec=1.0' },
        authorization: asOperator,
      },
      body: JSON.stringify(body),
      signal: leaving.signal,
    });
    await add(long);
    await add('short');
    const first = await stream.next();
    expect([first!.id, first!.data!.data, first!.data!.errors!.map(({ extensions }) => extensions)]).toEqual([
      expect.any(String),
      null,
      [{ code: 'ANSWER_TOO_LARGE', limitBytes: 262_144 }],
    ]);
    expect((await stream.next())!.data).toMatchObject({
      data: { ticketEvents: { ticketMessage: { b0: 'short' } } },
    });
    stream.leave();
    let text = '';
    for await (const chunk of parts.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('short')) break;
    }
    leaving.abort();
    expect([text.length < 10_000, text.match(/ANSWER_TOO_LARGE/g)?.length]).toEqual([true, 1]);
  });

  describe('of which the database alone would send more than the memory holds', () => {
    const count = 40;
    let ids: string[];
    beforeAll(async () => {
      const rows = await gateway.sql<{ id: number }[]>`
        insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
        select 46, 1, n || repeat('y', 100000), 'TEXT', 'PUBLIC', false from generate_series(1, ${count}) n
        returning id`;
      ids = rows.map(({ id }) => Buffer.from(`TicketMessage:${id}`).toString('base64'));
    });
    const nodes = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on TicketMessage { messageId body } } }';
    const inPage = (fields: string) =>
      `{ ticket(by: {ticketId: 46}) { messages(last: 40) { nodes { ${fields} } } } }`;

    for (const [name, query] of Object.entries({
      'a page': inPage('body'),
      'a page, as text and as HTML': inPage('bodyText bodyHtml changes { code }'),
      nodes,
      'nodes, as graphql-js makes them': nodes.replace('body', 'body @skip(if: false)'),
      'pages by many names': `{ ticket(by: {ticketId: 46}) {
        ${Array.from({ length: 30 }, (_, n) => `p${n}: messages(last: ${count - n}) { nodes { body } }`).join(
          ' ',
        )} } }`,
    }))
      test(name, async () => {
        const variables = query.includes('$ids') ? { ids } : {};
        const { status, data, errors } = await gateway.graphql(query, variables);
        expect([status, data, errors!.map(({ extensions }) => extensions)]).toEqual([
          200,
          null,
          [{ code: 'ANSWER_TOO_LARGE', limitBytes: 262_144 }],
        ]);
      });

    test('and what does not ask for bodies, or for few of them, is answered', async () => {
      const { data, errors } = await gateway.graphql<{
        ticket: { messages: { nodes: { messageId: number }[] } };
      }>(inPage('messageId author { name } attachments { id }'));
      expect([data.ticket.messages.nodes.length, errors]).toEqual([count, undefined]);
      const two = await gateway.graphql<{ nodes: { body: string }[] }>(nodes, { ids: ids.slice(0, 2) });
      expect(two.data.nodes.map(({ body }) => body.slice(0, 2))).toEqual(['1y', '2y']);
      const some = await gateway.graphql<{
        ticket: { messages: { nodes: object[] } };
        nodes: { body: string }[];
      }>(
        `query ($ids: [ID!]!) { ${inPage('messageId').slice(1, -1)} nodes(ids: $ids) { ... on ` +
          'TicketMessage { body bodyText } } }',
        { ids: ids.slice(5, 6) },
      );
      expect([some.errors, some.data.ticket.messages.nodes.length, some.data.nodes[0]!.body.length]).toEqual([
        undefined,
        count,
        100_001,
      ]);
    });

    test('a requester gets theirs by the same rules, and nobody else’s', async () => {
      const { data, errors } = await gateway.graphql<{ nodes: ({ body: string } | null)[] }>(
        nodes,
        { ids },
        { authorization: asRequester },
      );
      expect([data.nodes.every((node) => node === null), errors]).toEqual([true, undefined]);
    });
  });

  test('and a smaller one is answered', async () => {
    const { errors } = await gateway.graphql(`{ ${page.replace('last: 4', 'last: 2')} }`);
    expect(errors).toBeUndefined();
  });

  test('characters that take six bytes as JSON count as six', async () => {
    await gateway.sql`update messages set body = ${'\u0001'.repeat(60_000)} where id = (select max(id)
      from messages where ticket_id = 46)`;
    const { errors } = await gateway.graphql(`{ ${page.replace('last: 4', 'last: 1')} }`);
    expect(errors?.[0]?.extensions?.code).toBe('ANSWER_TOO_LARGE');
  });

  test('a command is carried out, and the answer says so', async () => {
    const before = await gateway.counts();
    const names = Array.from({ length: 9 }, (_, n) => `b${n}: body`).join(' ');
    const { data, errors } = await gateway.graphql(
      'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { ... on ' +
        `AddTicketMessagePayload { ticketMessage { ${names} } } } b: addTicketMessage(input: {ticket: ` +
        '{ticketId: 46}, body: "b"}) { __typename } }',
      { input: { ticket: { ticketId: 46 }, body: long } },
    );
    expect([data, errors![0]!.message]).toEqual([
      null,
      expect.stringMatching(/^The command was carried out/),
    ]);
    expect((await gateway.counts()).messages).toBe(before.messages! + 2);
  });
});

describe('JSON that would take long to parse is refused before it is, with a credential as well', () => {
  const members = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`m${n}`, 'a, "quoted": one']));
  const bodies: Record<string, [body: string, status: number]> = {
    'as many members as there may be': [
      JSON.stringify({ query: '{ __typename }', extensions: members(19_990) }),
      200,
    ],
    'more members': [JSON.stringify({ query: '{ __typename }', extensions: members(20_010) }), 400],
    'marks in texts': [
      JSON.stringify({ query: '{ __typename }', extensions: { a: '\\":,[{'.repeat(200_000) } }),
      200,
    ],
    'as many values': [
      JSON.stringify({ query: '{ __typename }', extensions: { a: Array(299_000).fill(1) } }),
      200,
    ],
    'more values': [
      JSON.stringify({ query: '{ __typename }', extensions: { a: Array(301_000).fill(1) } }),
      400,
    ],
    'more levels': [
      `{"query":"{ __typename }","extensions":{"a":${'['.repeat(70_000)}${']'.repeat(70_000)}}}`,
      400,
    ],
  };
  for (const [name, [body, status]] of Object.entries(bodies))
    test(`${name}: ${status}, as JSON and as the operations of a form`, async () => {
      expect((await post(body, asOperator)).status).toBe(status);
      const form = new FormData();
      form.set('operations', body);
      form.set('map', '{}');
      const sent = { method: 'POST', headers: { authorization: asOperator }, body: form };
      const answer = await fetch(`${gateway.url}/graphql`, sent);
      expect(answer.status).toBe(status);
      if (status === 400) expect(await answer.text()).toMatch(/has more than \d+ (members|values|levels)/);
    });
});

describe('bodies that are on their way', () => {
  const open = async (url: string, bytes: number, announced: number): Promise<Socket> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    const head = rawPost('', { Authorization: asOperator, 'Content-Length': String(announced) });
    socket.on('error', () => {});
    socket.write(Buffer.concat([head, Buffer.alloc(bytes, ' ')]));
    return socket;
  };

  test('one that trickles is refused with 408 and closed, with a credential or without', async () => {
    for (const headers of [{ Authorization: asOperator }, {}]) {
      const { status, closed } = await sendRaw(
        gateway.url,
        rawPost('', { ...headers, 'Content-Length': '1000' }),
      );
      expect([status, closed]).toEqual([408, true]);
    }
  });

  test('share one budget: past it a call is told when to retry, and finished ones free room', async () => {
    // One that does not cut them meanwhile.
    const env = { ROLES: 'web', MAX_REQUEST_BYTES: String(7 * 1024 * KiB) };
    await using patient = await startGateway({ env, database: gateway.database });
    // Most of the room first, as each call that finds room costs what 6 MB of JSON cost.
    const held = await Promise.all(Array.from({ length: 8 }, () => open(patient.url, 6_900_000, 7_000_000)));
    const told = async () => {
      const answer = await post(padded(6_000_000), asOperator, patient.url);
      return [answer.status, answer.headers.get('retry-after')];
    };
    let refused: unknown[] = [];
    for (let tries = 0; tries < 40 && refused[0] !== 503; tries += 1) {
      held.push(await open(patient.url, 6_900_000, 7_000_000));
      refused = await told();
    }
    expect(refused).toEqual([503, '2']);
    for (const socket of held) socket.destroy();
    await expect.poll(told).toEqual([200, null]);
  });
});

test('a form costs little, however many blanks are in the headers of its parts', async () => {
  const headed = (name: string, body = '') =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n` +
    `X: a${' '.repeat(16_000)}b\r\n\r\n${body}\r\n`;
  const files = Array.from({ length: 98 }, (_, n) => headed(String(n)));
  const fields = [headed('operations', '{"query":"{ __typename }"}'), headed('map', '{}')];
  const before = process.cpuUsage();
  const answer = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b', authorization: asRequester },
    body: `${[...fields, ...files].join('')}--b--`,
  });
  expect(await answer.text()).toBe('{"data":{"__typename":"Query"}}');
  // Over four seconds, when each blank begins a search for the end of the line.
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(2);
});

test('no document of 6.5 KB costs as much CPU as 2.4 MB of JSON that are read and written', () => {
  const many = (one: (n: number) => string, whole: (all: string, n: number) => string) => {
    let n = 0;
    const made = (count: number) => whole(Array.from({ length: count }, (_, i) => one(i)).join(' '), count);
    for (let step = 1024; step >= 1; step /= 2) if (made(n + step).length < 6500) n += step;
    return made(n);
  };
  const spread = (n: number) => Array.from({ length: n }, (_, i) => `...F${i}`).join(' ');
  const documents: Record<string, string> = {
    'the same field': many(
      () => 'viewer{login}',
      (all) => `{${all}}`,
    ),
    'the same field with arguments': many(
      () => 'ticket(by:{ticketId:1}){id}',
      (all) => `{${all}}`,
    ),
    'as many as may be of one name': `{${'ticket(by:{ticketId:1}){id} '.repeat(120)}}`,
    'inline fragments': many(
      () => '...on Ticket{id}...on TicketMessage{id}',
      (all) => `{node(id:"x"){${all}}}`,
    ),
    'a chain of fragments': many(
      (n) => `fragment F${n} on Viewer{login ...F${n + 1}}`,
      (all, n) => `{viewer{...F0}} ${all} fragment F${n} on Viewer{login}`,
    ),
    'fragments of fragments': many(
      (n) => `fragment F${n} on Viewer{login ${spread(n)}}`,
      (all, n) => `{viewer{...F${n - 1}}} ${all}`,
    ),
    'fragments in circles': many(
      (n) => `fragment F${n} on Viewer{login ...F${n + 1} ...F0}`,
      (all, n) => `{viewer{...F0}} ${all} fragment F${n} on Viewer{login}`,
    ),
    'doubling fragments': many(
      (n) => `fragment F${n} on Ticket{messages{edges{node{ticket{...F${n + 1}}}}} ...F${n + 1}}`,
      (all, n) => `{ticket(by:{ticketId:1}){...F0}} ${all} fragment F${n} on Ticket{id}`,
    ),
    'unknown fields': many(
      (n) => `x${n}`,
      (all) => `{${all}}`,
    ),
    'unknown types': many(
      (n) => `...on X${n}{a}`,
      (all) => `{${all}}`,
    ),
    variables: many(
      (n) => `$v${n}:Int`,
      (all) => `query(${all}){viewer{login}}`,
    ),
    operations: many(
      (n) => `query Q${n}($a:ID!){...R}`,
      (all) => `${all} fragment R on Query{node(id:$a){id}}`,
    ),
    'a deep list': `{ticket(by:${'['.repeat(3000)}${']'.repeat(3000)}){id}}`,
    'a deep type': `query($a:${'['.repeat(1900)}Int${']'.repeat(1900)}){viewer{login}}`,
    'a deep selection': '{a'.repeat(3000),
    'a long text': `{ticket(by:{reference:"${'\\u00e9'.repeat(1000)}"}){id}}`,
    'a long comment': `#${'x'.repeat(6400)}\n{viewer{login}}`,
    'unclosed text': `{ticket(by:{reference:"${'x'.repeat(6000)}`,
  };
  const cpuOf = (text: string): number => {
    const before = process.threadCpuUsage();
    const looked = new Documents(schema, { hideSuggestions: true });
    try {
      looked.validate(schema, looked.parse(text));
    } catch {
      // Refused.
    }
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  };
  for (const [name, text] of Object.entries(documents)) {
    // The least of several: the first runs are also compiled, and the machine does other things meanwhile.
    let least = cpuOf(text) / referenceMs();
    for (let tries = 1; least >= 2 && tries < 8; tries += 1)
      least = Math.min(least, cpuOf(text) / referenceMs());
    expect([name, least < 2 ? 'little' : least]).toEqual([name, 'little']);
  }
});

test('a stranger’s subscription whose fragments double is refused before they are followed', async () => {
  const doubling = Array.from(
    { length: 26 },
    (_, n) => `fragment F${n} on Subscription { ...F${n + 1} ...F${n + 1} }`,
  );
  const query = `subscription { ...F0 } ${doubling.join(' ')}
    fragment F26 on Subscription { ticketEvents(ticket: { ticketId: 1 }) { cursor } }`;
  const before = process.cpuUsage();
  const stream = await openStream(gateway.url, { query });
  expect((await stream.next())!.data).toMatchObject({
    errors: [{ extensions: { code: 'DOCUMENT_TOO_COMPLEX' } }],
  });
  // Following 67 million spreads takes most of a minute.
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(5);
});
