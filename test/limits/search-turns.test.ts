import { expect, test } from 'vitest';
import { SearchTurns } from '../../src/limits/search-turns.ts';
import { Unavailable } from '../../src/platform/errors.ts';

/** Work that ends when it is told to, and which of it has begun. */
function createWork(turns: SearchTurns) {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  return {
    begun,
    start: (name: string, userId: number) =>
      turns.run(userId, () => {
        begun.push(name);
        return new Promise<string>((resolve, reject) => {
          ends.set(name, (error) => (error === undefined ? resolve(name) : reject(error)));
        });
      }),
    end: (name: string, error?: Error) => ends.get(name)!(error),
  };
}

test('the work of one user leaves turns to others, and goes on in its order', async () => {
  const work = createWork(new SearchTurns(3, 2));
  const running = ['a1', 'a2', 'a3', 'a4'].map((name) => work.start(name, 1));
  const others = ['b1', 'b2'].map((name) => work.start(name, 2));
  await Promise.resolve();
  expect(work.begun).toEqual(['a1', 'a2', 'b1']);
  work.end('a1', new Error('no'));
  await expect(running[0]).rejects.toThrow('no');
  expect(work.begun).toEqual(['a1', 'a2', 'b1', 'a3']);
  work.end('a2');
  expect(await running[1]).toBe('a2');
  await expect.poll(() => work.begun).toEqual(['a1', 'a2', 'b1', 'a3', 'a4']);
  for (const name of ['a3', 'b1']) work.end(name);
  await expect.poll(() => work.begun.at(-1)).toBe('b2');
  for (const name of ['a4', 'b2']) work.end(name);
  expect(await Promise.all([...running.slice(2), ...others])).toEqual(['a3', 'a4', 'b1', 'b2']);
});

test('a user of whose work too much waits is told so, and nobody else', async () => {
  const turns = new SearchTurns(1, 1);
  const gate = Promise.withResolvers<void>();
  const work = Array.from({ length: 101 }, () => turns.run(1, () => gate.promise));
  await expect(turns.run(1, () => gate.promise)).rejects.toBeInstanceOf(Unavailable);
  const other = turns.run(2, async () => 'done');
  gate.resolve();
  await Promise.all(work);
  expect(await other).toBe('done');
});

test('work whose turn does not come in time is given up, and takes no turn later', async () => {
  const work = createWork(new SearchTurns(1, 1, 20));
  const running = work.start('a1', 1);
  await expect(work.start('b1', 2)).rejects.toBeInstanceOf(Unavailable);
  work.end('a1');
  await running;
  const next = work.start('c1', 3);
  await expect.poll(() => work.begun.at(-1)).toBe('c1');
  work.end('c1');
  expect(await next).toBe('c1');
  expect(work.begun).toEqual(['a1', 'c1']);
});

test('the work of one user waits for their own, and ends with what is unavailable', async () => {
  const turns = new SearchTurns(2, 1, 5);
  const work = createWork(turns);
  const first = work.start('a1', 1);
  const waiting = [work.start('a2', 1), work.start('a3', 1)];
  // Others come later, and have lost their patience by then.
  const others = createWork(turns);
  const second = others.start('b1', 2);
  await expect(others.start('c1', 3)).rejects.toBeInstanceOf(Unavailable);
  expect(work.begun).toEqual(['a1']);
  others.end('b1');
  await second;
  work.end('a1');
  await first;
  await expect.poll(() => work.begun).toEqual(['a1', 'a2']);
  work.end('a2', new Unavailable('The database is not responding'));
  for (const one of waiting) await expect(one).rejects.toThrow('The database is not responding');
  expect(work.begun).toEqual(['a1', 'a2']);
});
