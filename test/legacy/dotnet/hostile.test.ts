import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAll } from '../../support/servers/read-all.ts';
import { sampled, soaking } from '../../support/soak.ts';
import { type Answer, call } from '../stand-in.ts';

const posts = 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts';
const xml = { 'Content-Type': 'application/xml' };
const json = { 'Content-Type': 'application/json' };
const root = (content: string) => `<NewMessagePost xmlns="${posts}">${content}</NewMessagePost>`;

let child: ChildProcess;
let port: number;
beforeAll(async () => {
  child = fork(new URL('./hostile-process.ts', import.meta.url), { execArgv: ['--no-warnings'] });
  [{ port }] = (await once(child, 'message')) as [{ port: number }];
  // Code is compiled and the heap has its first size.
  for (let i = 0; i < (soaking ? 300 : 150); i++) {
    const [headers, body] =
      i % 2
        ? [json, '{"TicketId":1,"Message":"x"}']
        : [xml, root('<Message>x</Message><TicketId>1</TicketId>')];
    await call(port, { headers, body });
  }
});
afterAll(() => child.kill());

async function usage(): Promise<{ cpuMs: number; peakMb: number; rssMb: number }> {
  child.send('usage');
  return ((await once(child, 'message')) as [never])[0];
}

const twoMegabytes = JSON.stringify(
  Array.from({ length: 40_000 }, (_, id) => ({ id, name: `name ${id}`, tags: ['a', 'b'] })),
);
/**
 * Milliseconds of CPU that V8 takes to parse ten megabytes of JSON: five times that of a fifth. A busy
 * machine slows both down.
 */
function parsingMs(): number {
  const before = process.cpuUsage();
  JSON.parse(twoMegabytes);
  const { user, system } = process.cpuUsage(before);
  return (5 * (user + system)) / 1000;
}

/**
 * What the door needs for a call: its CPU as a share of that for parsing ten megabytes of JSON, and megabytes
 * by which its peak has grown.
 */
async function costOf(calling: () => Promise<Answer>) {
  const before = await usage();
  const answer = await calling();
  // By then the rest of what the caller sent has been read and thrown away.
  const after = await usage();
  const cpu = (after.cpuMs - before.cpuMs) / parsingMs();
  return { answer, cpu, growthMb: Math.max(0, after.peakMb - before.peakMb) };
}

const laughs = `<!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from(
  { length: 9 },
  (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i || ''};`.repeat(10)}">`,
).join('')}]>${root('<Message>&lol9;</Message>')}`;
const hundred = 100_000_000;

describe('refuses for less CPU than ten megabytes of JSON take to parse, and 20 MB of memory', () => {
  const bodies: [
    name: string,
    headers: Record<string, string>,
    body: () => Buffer | string,
    status: number,
  ][] = [
    ['billion laughs', xml, () => laughs, 400],
    [
      'quadratic blow-up',
      xml,
      () =>
        `<!DOCTYPE x [<!ENTITY a "${'a'.repeat(100_000)}">]>${root(
          `<Message>${'&a;'.repeat(10_000)}</Message>`,
        )}`,
      400,
    ],
    [
      'an external entity',
      xml,
      () => `<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>${root('<Message>&e;</Message>')}`,
      400,
    ],
    [
      'a parameter entity',
      xml,
      () => `<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]>${root('')}`,
      400,
    ],
    ['an entity without a DOCTYPE', xml, () => root('<Message>&e;</Message>'), 400],
    ['a million references', xml, () => root(`<Message>${'&#65;'.repeat(1_000_000)}</Message>`), 413],
    ['elements 10,000 deep', xml, () => root(`${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}`), 400],
    [
      'a hundred thousand attributes',
      xml,
      () => root(`<a ${Array.from({ length: 100_000 }, (_, i) => `a${i}=""`).join(' ')}/>`),
      400,
    ],
    ['a name of a megabyte', xml, () => root(`<${'a'.repeat(1_000_000)}/>`), 400],
    [
      'UTF-7 in an innocent dress',
      { 'Content-Type': 'application/xml; charset=utf-7' },
      () => '+ADw-!DOCTYPE x+AD4-',
      400,
    ],
    [
      'UTF-16 that hides a DOCTYPE',
      { 'Content-Type': 'application/xml; charset=utf-16' },
      () => Buffer.from(`\ufeff${laughs}`, 'utf16le'),
      400,
    ],
    ['arrays 10,000 deep', json, () => `{"X":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 400],
    ['objects 10,000 deep', json, () => `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400],
    ['a number of a hundred thousand digits', json, () => `{"Message":${'1'.repeat(100_000)}e}`, 400],
    ['a quality of many digits', { ...json, Accept: `a/b;q=${'0'.repeat(15_000)}x` }, () => '{', 400],
    ['a hundred thousand errors', json, () => `{"Attachments":[${'5,'.repeat(100_000)}5]}`, 400],
  ];
  // CPU is measured beside whatever else the machine does: the best of three counts.
  test.each(bodies)('%s', { retry: 2 }, async (name, headers, body, status) => {
    const bytes = body();
    const { answer, cpu, growthMb } = await costOf(() => call(port, { headers, body: bytes }));
    expect(answer.status).toBe(status);
    process.stdout.write(
      `hostile: ${name}: ${answer.status}, ${cpu.toFixed(2)} of the CPU, +${growthMb.toFixed(1)} MB\n`,
    );
    expect(cpu).toBeLessThan(1);
    expect(growthMb).toBeLessThan(20);
  });

  test.each([
    ['100 MB, announced', false],
    ['100 MB, not announced', true],
  ])('%s', { retry: 2 }, async (name, chunked) => {
    const { answer, cpu, growthMb } = await costOf(() => stream(chunked));
    process.stdout.write(
      `hostile: ${name}: ${answer.status}, ${cpu.toFixed(2)} of the CPU, +${growthMb.toFixed(1)} MB\n`,
    );
    expect(answer.status).toBe(413);
    expect(cpu).toBeLessThan(1);
    expect(growthMb).toBeLessThan(20);
  });

  /** Sends 100 MB of text, and continues after the response until all is sent or the connection is cut. */
  async function stream(chunked: boolean): Promise<Answer> {
    const framing = chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': hundred };
    const headers = { Host: 'localhost', ...xml, ...framing };
    const outgoing = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/api/Tickets/NewMessage',
      agent: false,
      headers,
    });
    const answered = new Promise<Answer>((resolve, reject) => {
      outgoing.on('error', reject).on('response', (response) => {
        const { statusCode: status, headers } = response;
        readAll(response).then((body) => resolve({ status: status!, headers, body }), reject);
      });
    });
    outgoing.write(`<NewMessagePost xmlns="${posts}"><Message>`);
    const piece = Buffer.alloc(100_000, 'a');
    let answer: Answer | undefined;
    answered.then((received) => {
      answer = received;
    });
    for (let sent = 0; sent < hundred && !answer; sent += piece.length) {
      if (!outgoing.write(piece)) await Promise.race([once(outgoing, 'drain'), answered]);
    }
    outgoing.destroy();
    return await answered;
  }
});

/** Both ways of sending a file of 22.5 MB. */
const ways: [string, Record<string, string>, (data: string) => string][] = [
  ['JSON', json, (data) => `{"TicketId":1,"Message":"x","Attachments":[{"FileName":"a","Data":"${data}"}]}`],
  [
    'XML',
    xml,
    (data) =>
      root(
        '<Attachments xmlns:d="http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.DataStru' +
          `ctures"><d:NewAttachment><d:Data>${data}</d:Data></d:NewAttachment></Attachments><Message>` +
          'x</Message><TicketId>1</TicketId>',
      ),
  ],
];
test.each(sampled(ways, 2))(
  'a body of 30 MB costs far less than 200 MB: %s',
  async (name, headers, bodyOf) => {
    const body = Buffer.from(bodyOf(Buffer.alloc(22_500_000, 'abcdefg').toString('base64')));
    const { answer, cpu, growthMb } = await costOf(() => call(port, { headers, body }));
    process.stdout.write(
      `30 MB of ${name}: ${answer.status}, ${cpu.toFixed(2)} of the CPU, ` +
        `+${growthMb.toFixed(1)} MB at its peak\n`,
    );
    expect(answer.status).toBe(200);
    expect(growthMb).toBeLessThan(100);
  },
);
