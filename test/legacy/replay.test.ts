import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { run as typed } from '../../src/cli/run.ts';
import { readRecording } from '../../src/legacy/recorder/read-recording.ts';
import { readAll } from '../support/servers/read-all.ts';
import { startDoor } from './stand-in.ts';

async function run(...args: string[]): Promise<{ code: number; text: string; told: string }> {
  const written = { stdout: '', stderr: '' };
  const into = (name: keyof typeof written) =>
    new Writable({
      write(chunk, _encoding, done) {
        written[name] += chunk;
        done();
      },
    });
  const terminal = { stdin: Readable.from([]), stdout: into('stdout'), stderr: into('stderr') };
  const code = await typed(['legacy', 'replay', ...args], terminal, {
    env: {},
    open() {
      throw new Error('a replay opens no desk');
    },
  });
  return { code, text: written.stdout, told: written.stderr };
}

async function withFile<T>(content: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'replay-'));
  try {
    const path = join(folder, 'recorded.json');
    await writeFile(path, content);
    return await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const har = JSON.stringify({
  log: {
    entries: [
      {
        request: {
          method: 'POST',
          url: 'https://old.example/api/Tickets/NewMessage?x=1',
          headers: [
            { name: 'Host', value: 'old.example' },
            { name: 'Content-Type', value: 'text/json' },
          ],
          postData: { text: '{"TicketId":1,"Message":"x"}' },
        },
        response: {
          status: 201,
          headers: [{ name: 'Content-Type', value: 'application/json; charset=utf-8' }],
          content: { text: '{"TicketMessageId":9}' },
        },
      },
    ],
  },
});

describe('legacy replay', () => {
  test('sends the observed cases, and says that only the data of the desk differs', async () => {
    await using door = await startDoor();
    const cases = fileURLToPath(new URL('./cases.json', import.meta.url));
    const { code, text } = await run(
      cases,
      '--url',
      `http://127.0.0.1:${door.port}`,
      '--host',
      'localhost',
      '--user',
      'operator:operator',
    );
    // The stand-in signs everybody in and refuses nothing: that alone differs.
    const named = text
      .split('\n')
      .filter((line) => /^[A-I]\d\d /.test(line))
      .map((line) => line.slice(0, 3));
    expect(named).toEqual(['F02', 'F07', 'H19', 'H20', 'I10', 'I11', 'I13', 'I14', 'I16']);
    expect(text).toContain('status: 400 was recorded, now 200');
    expect([code, text.trim().split('\n').at(-1)]).toEqual([
      1,
      expect.stringMatching(/^137 calls sent to .*, 9 differ$/),
    ]);
  });

  test('reads a HAR, and tells what differs', async () => {
    await using door = await startDoor();
    const { code, text } = await withFile(har, (path) => run(path, '--url', `http://127.0.0.1:${door.port}`));
    expect(code).toBe(1);
    expect(text).toContain('status: 201 was recorded, now 200');
    expect(text).toContain(
      'content-type: application/json; charset=utf-8 was recorded, now text/json; charset=utf-8',
    );
    expect(text).not.toContain('body:');
  });

  test('reads one call a line', () => {
    const line = '{"path":"/api/Tickets/NewMessage","body":"{}","expect":{"status":400}}';
    expect(readRecording(`${line}\n${line}\n`).calls).toHaveLength(2);
  });

  test('says what is wrong with its arguments and with its file', async () => {
    expect(await run()).toMatchObject({ code: 2, told: expect.stringContaining('legacy replay FILE') });
    expect(await run('/nowhere/at-all.json')).toMatchObject({
      code: 2,
      told: expect.stringContaining('ENOENT'),
    });
    for (const content of ['{', '[{"path":1}]', '{}\n{', '{"log":{"entries":[{}]}}', '5']) {
      const { code, told } = await withFile(content, (path) => run(path));
      expect([code, told]).toEqual([2, expect.stringMatching(/recorded\.json: ./)]);
    }
    for (const [option, value] of [
      ['--url', 'nowhere'],
      ['--url', 'ftp://x'],
      ['--user', 'jane'],
      ['--what', 'x'],
    ])
      expect(await withFile(har, (path) => run(path, option!, value!))).toMatchObject({ code: 2, text: '' });
  });

  test('has a help, and stands in the list of commands', async () => {
    const { code, text } = await run('--help');
    expect([code, text]).toEqual([
      0,
      expect.stringMatching(/--url ADDRESS[\s\S]*--user[\s\S]*--host[\s\S]*--json/),
    ]);
    expect(text).toContain('Exit code: 0');
  });

  test('ends with 2 when nobody answers', async () => {
    const { code, text } = await withFile(har, (path) => run(path, '--url', 'http://127.0.0.1:9'));
    expect([code, text]).toEqual([2, expect.stringContaining('no answer: ')]);
  });

  test('tells how far it is, beside what it prints', async () => {
    await using door = await startDoor();
    const line = '{"path":"/api/Tickets/NewMessage","body":"{}","expect":{"status":400}}\n';
    const { told } = await withFile(line.repeat(250), (path) =>
      run(path, '--url', `http://127.0.0.1:${door.port}`),
    );
    expect(told.match(/\d+ of 250 sent, \d+ differ/g)).toHaveLength(2);
  });

  test('prints JSON for programs', async () => {
    await using door = await startDoor();
    const { code, text } = await withFile(har, (path) =>
      run(path, '--json', '--url', `http://127.0.0.1:${door.port}`),
    );
    expect([code, JSON.parse(text)]).toMatchObject([
      1,
      { sent: 1, leftOut: 0, unanswered: 0, differing: [{ answered: true }] },
    ]);
  });

  describe('a proxy’s recording as it is', () => {
    const answered = { status: 200, headers: [], content: { text: '{"TicketMessageId":9}' } };
    const entry = (request: object, response: object = answered) => ({
      startedDateTime: '2026-11-01T00:00:00Z',
      time: 1,
      request: {
        method: 'POST',
        url: 'https://old.example/api/Tickets/NewMessage',
        httpVersion: 'HTTP/2',
        ...request,
      },
      response,
    });
    const json = [{ name: 'content-type', value: 'application/json' }];
    const recorded = (...entries: object[]) =>
      `\ufeff${JSON.stringify({ log: { version: '1.2', entries } })}`;

    test('leaves out what is not the old endpoint’s and what was cut, and says how many', async () => {
      await using door = await startDoor();
      const content = recorded(
        entry({ method: 'GET', url: 'https://old.example/Login.aspx' }),
        entry({ method: 'GET', url: 'https://cdn.example/apis.js' }),
        entry({ method: 'GET', url: 'data:text/plain,x' }),
        entry({ headers: json, postData: { text: '{' } }, { status: 0, headers: [], content: {} }),
        entry({
          headers: json,
          postData: { mimeType: 'application/json', text: '{"TicketId":1,"Message":"x"}' },
        }),
      );
      const { code, text } = await withFile(content, (path) =>
        run(path, '--url', `http://127.0.0.1:${door.port}`),
      );
      expect([code, text]).toEqual([
        0,
        expect.stringMatching(/^1 call sent .*, none differ; 4 other requests in the recording were skipped/),
      ]);
    });

    test('sends paths, headers and bodies as they were sent', async () => {
      const calls: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
      const server = createServer(async (req, res) => {
        const body = (await readAll(req)).toString('base64');
        calls.push({ url: req.url!, headers: req.headers, body });
        res.end('{"TicketMessageId":10}');
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const form = [{ name: 'Content-Type', value: 'application/x-www-form-urlencoded' }];
      const content = recorded(
        entry({
          url: 'https://old.example//api/Tickets/./NewMessage?q=ř#x',
          headers: [...json, { name: ':authority', value: 'old' }],
          postData: { text: 'ř' },
        }),
        entry({ postData: { mimeType: 'text/xml', text: 'w6k=', encoding: 'base64' } }),
        entry({
          headers: form,
          postData: { mimeType: '', params: [{ name: 'a b', value: 'ř&' }, { name: 'c' }] },
        }),
        entry({
          headers: [{ name: 'content-type', value: 'text/json; charset=utf-16' }],
          postData: { text: 'ř' },
        }),
        entry({
          headers: [...json, { name: 'Content-Encoding', value: 'UTF-8' }, { name: 'X-Who', value: 'ř' }],
          postData: { text: '{}' },
        }),
        entry({
          headers: [
            ...json,
            { name: 'Content-Encoding', value: 'gzip' },
            { name: 'Accept-Encoding', value: 'gzip' },
          ],
          postData: null,
        }),
      );
      const { code } = await withFile(content, (path) => run(path, '--url', `http://127.0.0.1:${port}/`));
      server.close();
      expect(code).toBe(0);
      const sent = (at: number) => Buffer.from(calls[at]!.body, 'base64');
      expect(calls[0]!.url).toBe('//api/Tickets/./NewMessage?q=%C5%99');
      expect(sent(0).toString()).toBe('ř');
      expect([calls[1]!.headers['content-type'], sent(1).toString()]).toEqual(['text/xml', 'é']);
      expect(sent(2).toString()).toBe('a+b=%C5%99%26&c=');
      expect(sent(3).toString('utf16le')).toBe('ř');
      expect(calls[4]!.headers).toMatchObject({
        'content-encoding': 'UTF-8',
        'x-who': Buffer.from('ř').toString('latin1'),
      });
      expect(calls[5]!.headers).not.toHaveProperty('content-encoding');
      expect(calls[5]!.headers).not.toHaveProperty('accept-encoding');
      expect(calls[5]!.body).toBe('');
    });

    test('compares answers that were recorded packed, or not at all', async () => {
      await using door = await startDoor();
      const request = { headers: json, postData: { text: '{"TicketId":1,"Message":"x"}' } };
      const text = Buffer.from('{"TicketMessageId":77}').toString('base64');
      const content = recorded(
        entry(request, { status: 200, headers: [], content: { text, encoding: 'base64' } }),
        entry(request, { status: 200, headers: [], content: { size: 0 } }),
        entry(request, { status: 200, headers: [], content: { text: '<html>' } }),
      );
      const { text: printed } = await withFile(content, (path) =>
        run(path, '--url', `http://127.0.0.1:${door.port}`),
      );
      expect(printed).toMatch(/^3 POST \/api[\s\S]*body: <html>[\s\S]*3 calls sent .*, 1 differ/);
    });
  });

  test('signs in', async () => {
    const seen: (string | undefined)[] = [];
    await using base = await startDoor();
    await using door = await startDoor({
      begin: async (request) => {
        seen.push(request.headers.authorization);
        return base.context;
      },
    });
    const { code } = await withFile(
      har.replace('201', '200').replace('application/json;', 'text/json;'),
      (path) => run(path, '--url', `http://127.0.0.1:${door.port}`, '--user', 'operator:operator'),
    );
    expect([code, seen]).toEqual([0, ['Basic b3BlcmF0b3I6b3BlcmF0b3I=']]);
  });
});
