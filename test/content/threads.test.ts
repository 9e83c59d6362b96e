import { expect, test } from 'vitest';
import { UnreadableBody } from '../../src/content/dom/tree.ts';
import { readBody, withoutPasted } from '../../src/content/read-message-body.ts';
import { createThreadPool } from '../../src/content/thread-pool.ts';
import { Unavailable } from '../../src/platform/errors.ts';
import { refused } from './adversaries.ts';

const large = (text: string) => `<p>${text}</p>${'<p>x</p>'.repeat(8500)}`;
const request = (body: string) => ({
  task: 'read' as const,
  request: { body, format: 'HTML' as const, remotePictures: 'HELD' as const },
});

const script = new URL('./crashing-thread.ts', import.meta.url);
const startThreads = () => createThreadPool({ threads: 1, script });

test('a large body says the same in a thread of its own, while this one goes on', async () => {
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 1);
  const { text, html } = await readBody(large('first'), 'HTML');
  clearInterval(ticking);
  expect(text).toMatch(/^first\n\nx\n\nx/);
  expect(html).toMatch(/^<p>first<\/p><p>x<\/p>/);
  expect(turns).toBeGreaterThan(0);
});

test('the same body is read once, however many ask', async () => {
  const [one, two] = await Promise.all([readBody(large('same'), 'HTML'), readBody(large('same'), 'HTML')]);
  expect(two).toBe(one);
  expect(await readBody(large('same'), 'HTML')).toBe(one);
  const held = await readBody(`${large('same')}<img src="https://x.example/a.png">`, 'HTML');
  const shown = await readBody(`${large('same')}<img src="https://x.example/a.png">`, 'HTML', {
    remotePictures: 'SHOWN',
  });
  expect(shown.html).not.toBe(held.html);
});

test('a large body that cannot be read is refused with its reason', async () => {
  const body = Object.values(refused)[0]!(100_000);
  await expect(readBody(body, 'HTML')).rejects.toThrow(UnreadableBody);
  await expect(readBody(body, 'HTML')).rejects.toThrow(/misnested/);
});

test('a thread that ends is replaced, and what it was reading is tried once more', async () => {
  await using threads = startThreads();
  const crashed = threads.run(request('crash'));
  const read = threads.run(request('<p>x</p>'));
  await expect(crashed).rejects.toThrow('a mistake in the reader');
  expect((await read).text).toBe('x');
  expect((await threads.run(request('<p>y</p>'))).text).toBe('y');
});

test('a body that takes more memory than a thread has is refused, and says so', async () => {
  await using threads = createThreadPool({ threads: 1, heapMegabytes: 12 });
  const refusal = expect(threads.run(request('<b>x</b>'.repeat(50_000)))).rejects;
  await refusal.toThrow(new UnreadableBody('Reading the HTML takes too much memory'));
  expect((await threads.run(request('<p>x</p>'))).text).toBe('x');
});

test('a pool that is disposed of ends its threads, and rejects what they had not done', async () => {
  const threads = startThreads();
  const running = expect(threads.run(request('hang'))).rejects.toThrow(Unavailable);
  const waiting = expect(threads.run(request('<p>x</p>'))).rejects.toThrow(Unavailable);
  await threads[Symbol.asyncDispose]();
  await Promise.all([running, waiting]);
  await expect(threads.run(request('<p>x</p>'))).rejects.toThrow(Unavailable);
});

test('a pasted picture of a large body is taken out, and all else stays to the byte', async () => {
  const png =
    'data:image/png;base64,' +
    `${Buffer.from('89504e470d0a1a0a', 'hex').toString('base64').padEnd(200_000, 'A')}`;
  const body = `<P>Grüße 🙂\r\n<IMG alt='a "b"' SRC = "${png}"\r\n>&nbsp;<img src=${png}><!-- x --></p>`;
  expect(await withoutPasted(body)).toEqual({
    body:
      `<P>Grüße 🙂\r\n<IMG alt='a "b"' src="cid:pasted-1.png"\r\n>&nbsp;<img ` +
      'src="cid:pasted-1.png"><!-- x --></p>',
    pictures: [{ contentId: 'pasted-1.png', contentType: 'image/png', data: png }],
  });
});
