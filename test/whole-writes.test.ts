import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { WriteStream } from 'graphql-upload-ts/fs-capacitor';
import { expect, test } from 'vitest';
import { writeWhole } from '../src/whole-writes.ts';

const run = promisify(execFile);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

test('a temporary file is what was written to it, for a reader that comes before the end and one that comes after', async () => {
  const file = writeWhole(new WriteStream());
  const bytes = randomBytes(1_000_003);
  const early = buffer(file.createReadStream());
  await pipeline(
    Readable.from([bytes.subarray(0, 5), bytes.subarray(5, 700_000), bytes.subarray(700_000)]),
    file,
  );
  expect(sha256(await early)).toBe(sha256(bytes));
  expect(sha256(await buffer(file.createReadStream()))).toBe(sha256(bytes));
  file.release();
});

test.skipIf(process.platform !== 'linux')('a piece of which the disk takes a part is an error', async () => {
  const program = `
    import { once } from 'node:events';
    import { WriteStream } from 'graphql-upload-ts/fs-capacitor';
    import { writeWhole } from ${JSON.stringify(new URL('../src/whole-writes.ts', import.meta.url).href)};
    const file = writeWhole(new WriteStream());
    file.end(Buffer.alloc(150_000));
    const failed = once(file, 'error').then(([error]) => error.code);
    console.log(await Promise.race([failed, once(file, 'finish').then(() => 'finished')]));
    file.release();`;
  // No file of the process may be larger than 100 KiB: the write is cut there, as on a disk with so much room.
  const { stdout } = await run('bash', [
    ...['-c', 'ulimit -f 100; exec "$0" --input-type=module --eval "$1"'],
    ...[process.execPath, program],
  ]);
  expect(stdout.trim()).toBe('EFBIG');
});
