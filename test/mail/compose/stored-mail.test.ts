import { expect, test } from 'vitest';
import { inLargePieces, readAhead } from '../../../src/mail/compose/stored-mail.ts';
import { turn } from '../../support/eventually.ts';

async function* bytesOf(sizes: readonly number[], onEnd = () => {}) {
  try {
    for (const [n, size] of sizes.entries()) yield Buffer.alloc(size, n + 1);
  } finally {
    onEnd();
  }
}
const collect = async (pieces: AsyncIterable<Buffer>) => {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
};

for (const [sizes, expected] of [
  [[], []],
  [[0], []],
  [[10, 20, 30], [60]],
  [
    [10, 88_000, 88_000, 5],
    [88_010, 88_000, 5],
  ],
] as const)
  test(`pieces of [${sizes}] octets go as [${expected}]`, async () => {
    const pieces = await collect(inLargePieces(bytesOf(sizes)));
    expect(pieces.map(({ length }) => length)).toEqual(expected);
    expect(Buffer.concat(pieces)).toEqual(Buffer.concat(await collect(bytesOf(sizes))));
  });

test('the first piece is read ahead, and a source that is not read is closed', async () => {
  let closed = 0;
  const source = () => bytesOf([1, 2, 3], () => closed++);
  const asked = readAhead(source());
  asked.begin();
  expect((await collect(asked.pieces())).map(({ length }) => length)).toEqual([1, 2, 3]);
  const abandoned = readAhead(source());
  abandoned.begin();
  abandoned.end();
  await turn();
  expect(closed).toBe(2);
});

test('an error in the first piece is thrown to its reader', async () => {
  const broken = readAhead(
    inLargePieces(
      (async function* (): AsyncGenerator<Buffer> {
        yield Buffer.alloc(1);
        throw new Error('gone');
      })(),
    ),
  );
  broken.begin();
  await turn();
  await expect(collect(broken.pieces())).rejects.toThrow('gone');
});
