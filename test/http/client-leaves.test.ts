import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { sendRaw } from '../support/raw-http.ts';
import { sampled } from '../support/soak.ts';

/* A client may leave at any step of a command: all of it is done, or nothing, and a repeated call says so. */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const file = Buffer.alloc(300_000, 'abc');
const query = `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
  ... on AddTicketMessagePayload { ticketMessage { messageId } } ... on UserError { code } } }`;
const input = (body: string, more: object = {}) => ({ ticket: { ticketId: 40 }, body, ...more });
const partOf = (name: string, content: string) =>
  `--X\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;

/** The body of a request for a message, and its type. */
const doors: Record<string, { path: string; type: string; body(text: string): string }> = {
  JSON: {
    path: '/graphql',
    type: 'application/json',
    body: (text) => JSON.stringify({ query, variables: { input: input(text) } }),
  },
  'a form': {
    path: '/graphql',
    type: 'multipart/form-data; boundary=X',
    body: (text) =>
      partOf(
        'operations',
        JSON.stringify({ query, variables: { input: input(text, { attachments: [{ file: null }] }) } }),
      ) +
      partOf('map', '{"0":["variables.input.attachments.0.file"]}') +
      `--X\r\nContent-Disposition: form-data; name="0"; filename="a"\r\n\r\n${file}${text}\r\n--X--\r\n`,
  },
  XML: {
    path: '/api/Tickets/NewMessage',
    type: 'text/xml',
    body(text) {
      const names = 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures';
      const data = Buffer.from(`${file}${text}`).toString('base64');
      return (
        `<NewMessagePost xmlns="${names}.Posts" xmlns:d="${names}.DataStructures"><Attachments>` +
        `<d:NewAttachment><d:Data>${data}</d:Data><d:FileName>a</d:FileName></d:NewAttachment>` +
        `</Attachments><Message>${text}</Message><TicketId>40</TicketId></NewMessagePost>`
      );
    },
  },
};

function requestOf(door: string, text: string): { head: string; body: string } {
  const { path, type, body: make } = doors[door]!;
  const body = make(text);
  const head =
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${asOperator}\r\nContent-Type: ${type}\r\n` +
    `Accept: application/json\r\nGraphQL-Preflight: 1\r\nIdempotency-Key: "${text}"\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return { head, body };
}

/** How much of its request a client sends before it leaves, and what it waits for. */
const steps: Record<string, { of: (head: number, body: number) => number; waits?: 'answer' | 'lock' }> = {
  'in its head': { of: () => 30 },
  'before its body': { of: (head) => head },
  'in its body': { of: (head, body) => head + Math.floor(body / 2) },
  'before its last byte': { of: (head, body) => head + body - 1 },
  'after its last byte': { of: (head, body) => head + body },
  'while its ticket is locked': { of: (head, body) => head + body, waits: 'lock' },
  'while it is answered': { of: (head, body) => head + body, waits: 'answer' },
};

/** Sends as much as a step says, and leaves. */
async function leave(door: string, text: string, step: string, isReset: boolean): Promise<void> {
  const { head, body } = requestOf(door, text);
  const { of, waits } = steps[step]!;
  const bytes = Buffer.from(head + body).subarray(0, of(head.length, Buffer.byteLength(body)));
  const go = async (until: () => Promise<unknown>) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    await once(socket, 'connect');
    await new Promise((resolve) => socket.write(bytes, resolve));
    if (waits === 'answer') await once(socket, 'data');
    await until();
    if (isReset) socket.resetAndDestroy();
    else socket.destroy();
  };
  if (waits !== 'lock') return go(async () => {});
  await gateway.sql.begin(async (tx) => {
    await tx`select from tickets where id = 40 for update`;
    const waiting = () => gateway.sql`select from pg_stat_activity
      where datname = current_database() and usename = 'gateway' and state = 'active'`;
    await go(() => eventually(async () => (await waiting()).length > 0));
  });
}

const idOf = (text: string) => /"(?:messageId|TicketMessageId)": ?(\d+)/.exec(text)?.[1];
const storedFiles = async () =>
  (await readdir(gateway.blobsDirectory, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  ).length;
/** What a request of this test may leave behind. */
async function traces() {
  const { messages, keys, attachments, blobs, events } = await gateway.counts();
  const [row] = await gateway.sql<{ uploads: number }[]>`select count(*)::int as uploads from uploads`;
  return { messages, keys, attachments, blobs, events, files: await storedFiles(), ...row };
}

const left = Object.keys(doors).flatMap((door) => Object.keys(steps).map((step) => ({ door, step })));
describe.each(Object.keys(doors))('a client that leaves, with %s,', (door) => {
  const ofDoor = sampled(left, 4).filter((one) => one.door === door);
  test.each(ofDoor.map(({ step }) => step))('%s has all or nothing done, once', async (step) => {
    const files = door === 'JSON' ? 0 : 1;
    const whole = { messages: 1, keys: 1, attachments: files, blobs: files, events: 1, files, uploads: 0 };
    await sendRaw(gateway.url, Object.values(requestOf(door, `first ${door} ${step}`)).join(''));
    for (const isReset of [false, true]) {
      const text = `${door} ${step} ${isReset}`;
      const before = await traces();
      await leave(door, text, step, isReset);
      const more = (now: typeof before) =>
        Object.fromEntries(Object.entries(now).map(([name, n]) => [name, n! - before[name as 'keys']!]));
      // Until the request is over: what it did is all there, or all gone.
      await eventually(async () => {
        const [done] =
          await gateway.sql`select count(*)::int as n from messages where body like ${`%${text}`}`;
        const left = JSON.stringify(more(await traces()));
        return left === JSON.stringify(done!.n === 1 ? whole : { ...whole, ...nothing });
      });
      const again = await sendRaw(gateway.url, Object.values(requestOf(door, text)).join(''));
      expect(again.status).toBe(200);
      // The call that was left may have run beside this one, and its file is removed a moment later.
      const is = JSON.stringify(whole);
      await eventually(async () => JSON.stringify(more(await traces())) === is);
      const [row] = await gateway.sql`select id from messages where body like ${`%${text}`}`;
      expect(idOf(again.body)).toBe(String(row!.id));
    }
  });
});

test('a form that is stuck half-way holds up no repeated call, and then has the first result', async () => {
  const text = 'stuck';
  const { head, body } = requestOf('a form', text);
  const files = await storedFiles();
  const stuck = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  stuck.write(head + body.slice(0, -1000));
  // Its operations were read, and its file is arriving.
  await eventually(async () => (await storedFiles()) > files);
  const again = await sendRaw(gateway.url, head + body);
  stuck.write(body.slice(-1000));
  const [late] = await once(stuck, 'data');
  stuck.destroy();
  const [row] = await gateway.sql`select id from messages where body = ${text}`;
  expect([idOf(again.body), idOf(String(late))]).toEqual([String(row!.id), String(row!.id)]);
});

const nothing = { messages: 0, keys: 0, attachments: 0, blobs: 0, events: 0, files: 0, uploads: 0 };
