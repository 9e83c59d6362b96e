import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { replay } from '../../src/cli/legacy.ts';
import { readRecording } from '../../src/rest/recording-file.ts';
import { startDoor } from './stand-in.ts';

async function run(...args: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const out = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return { code: await replay(args, out), text };
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
  test('sends the observed cases, and says that nothing differs but what the desk behind it decides', async () => {
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
      expect.stringMatching(/^137 calls sent to .*, 9 answered otherwise$/),
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
    expect(readRecording(`${line}\n${line}\n`)).toHaveLength(2);
  });

  test('says what is wrong with its arguments and with its file', async () => {
    expect(await run()).toMatchObject({
      code: 2,
      text: expect.stringContaining('ticketwire legacy replay FILE'),
    });
    expect(await run('/nowhere/at-all.json')).toMatchObject({
      code: 2,
      text: expect.stringContaining('ENOENT'),
    });
    for (const content of ['{', '[{"path":1}]', '{}\n{']) {
      expect((await withFile(content, (path) => run(path))).code).toBe(2);
    }
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
