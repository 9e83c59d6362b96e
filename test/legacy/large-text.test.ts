import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { soaking } from '../support/soak.ts';
import { call } from './stand-in.ts';

const posts = 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts';
const limit = (soaking ? 4096 : 256) * 1024;
/** As many bytes as the limit: Czech letters take two of them. */
const lines = 'Příliš žluťoučký kůň úpěl ďábelské ódy <b> & dál.\r\n';
const text = lines.repeat(Math.floor(limit / Buffer.byteLength(lines)));
const whole = text + 'x'.repeat(limit - Buffer.byteLength(text));

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web', MAX_BODY_BYTES: String(limit) } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** Sends a message, and prints what it cost the process: `npx vitest run test/legacy/large-text.test.ts`. */
async function send(name: string, type: string, body: string) {
  const [cpu, rss] = [process.cpuUsage(), process.memoryUsage.rss()];
  const answer = await call(Number(new URL(gateway.url).port), {
    headers: { Authorization: asOperator, 'Content-Type': type },
    body,
  });
  const { user, system } = process.cpuUsage(cpu);
  const mb = (process.memoryUsage.rss() - rss) / 1e6;
  process.stdout.write(
    `${limit / 1024} KiB of text, ${name} (${(body.length / 1e6).toFixed(1)} M characters): ` +
      `${answer.status}, ` +
      `${((user + system) / 1000).toFixed(0)} ms CPU with its client's, ` +
      `${mb >= 0 ? '+' : ''}${mb.toFixed(0)} MB\n`,
  );
  return answer;
}

async function stored(answer: { body: Buffer }): Promise<string> {
  const id = Number(/TicketMessageId\D+(\d+)/.exec(answer.body.toString())![1]);
  const [row] = await gateway.sql`select body from messages where id = ${id}`;
  return row!.body as string;
}

const escaped = (body: string, reference: RegExp) =>
  body.replace(reference, (char) => `&#${char.codePointAt(0)};`);
const inXml = (message: string) =>
  `<NewMessagePost xmlns="${posts}"><Message>${message}</Message><TicketId>47</TicketId></NewMessagePost>`;
const inJson = (message: string) => JSON.stringify({ TicketId: 47, Message: message });
const unicode = (json: string) =>
  json.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

describe('a message of MAX_BODY_BYTES', () => {
  test('is stored from JSON, however its letters are written', async () => {
    expect(await stored(await send('JSON', 'application/json', inJson(whole)))).toBe(whole);
    expect(await stored(await send('JSON in escapes', 'application/json', unicode(inJson(whole))))).toBe(
      whole,
    );
  });

  test('is stored from XML, however its letters are written', async () => {
    // Line ends become one character in XML.
    const expected = whole.replaceAll('\r\n', '\n');
    const plain = inXml(escaped(whole, /[<&]/g));
    expect(await stored(await send('XML', 'application/xml', plain))).toBe(expected);
    const references = inXml(escaped(whole.slice(0, whole.length / 2), /[<&\u0080-\uffff]/g));
    expect(await stored(await send('half of it in references', 'text/xml', references))).toBe(
      whole.slice(0, whole.length / 2).replaceAll('\r\n', '\n'),
    );
  });

  test('and one byte is refused by the command, in its own words', async () => {
    const before = await gateway.counts();
    for (const [type, body] of [
      ['application/json', inJson(`${whole}x`)],
      ['application/xml', inXml('x'.repeat(limit + 1))],
    ] as const) {
      const answer = await send('one byte more', type, body);
      expect([answer.status, answer.body.toString()]).toEqual([400, expect.stringContaining('Message: ')]);
    }
    expect(await gateway.counts()).toEqual(before);
  });
});
