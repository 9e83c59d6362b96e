import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DrizzleQueryError } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { asUnavailable, isRejected } from '../../src/platform/database-faults.ts';
import { Unavailable } from '../../src/platform/errors.ts';

/** As the driver and Drizzle throw it: the query's error wraps what happened. */
const queryFailed = (cause: Error) => new DrizzleQueryError('select 1', [], cause);

const failureOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable('nothing failed'),
    (error) => error,
  );

test('a socket that is not there is a database that does not respond, and nothing was written', async () => {
  const [error] = await once(connect({ path: join(tmpdir(), 'no-such-socket') }), 'error');
  expect(error).toMatchObject({ code: 'ENOENT' });
  for (const fault of [error, queryFailed(error)]) {
    expect(asUnavailable(fault)).toBeInstanceOf(Unavailable);
    expect(asUnavailable(fault)).toMatchObject({ nothingWritten: true, cause: fault });
  }
});

test('a missing file says nothing about the database', async () => {
  const error = await failureOf(readFile(join(tmpdir(), 'no-such-file')));
  expect(error).toMatchObject({ code: 'ENOENT' });
  expect(asUnavailable(error)).toBe(error);
});

test.each(['EMFILE', 'ENFILE', 'ETIMEDOUT', 'EPIPE'])('%s of a file says nothing about it either', (code) => {
  const error = Object.assign(new Error(`${code}: cannot open, open '/a'`), {
    errno: -1,
    code,
    syscall: 'open',
    path: '/a',
  });
  expect(asUnavailable(error)).toBe(error);
  const wrapped = new Error('The template cannot be read', { cause: error });
  expect(asUnavailable(wrapped)).toBe(wrapped);
});

test.each(['EMFILE', 'ENFILE'])('%s of a connection does', (code) => {
  const error = Object.assign(new Error(`connect ${code} 127.0.0.1:5432`), {
    errno: -1,
    code,
    syscall: 'connect',
    address: '127.0.0.1',
    port: 5432,
  });
  expect(asUnavailable(queryFailed(error))).toMatchObject({ name: 'Unavailable', nothingWritten: true });
});

test('an open file whose reads fail says nothing about it, although its error has no path', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'faults-'));
  try {
    await writeFile(join(directory, 'a'), 'a');
    await using file = await open(join(directory, 'a'), 'r');
    const real = await failureOf(file.write('b'));
    expect(real).toMatchObject({ code: 'EBADF' });
    expect(real).not.toHaveProperty('path');
    const message = real.message.replace('EBADF', 'ETIMEDOUT');
    const error = Object.assign(new Error(message), { ...real, code: 'ETIMEDOUT' });
    expect(asUnavailable(error)).toBe(error);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test.each([
  ['a transaction that idled too long', '25P03', false],
  ['a transaction that lasted too long', '25P04', false],
  ['a deadlock that outlasted the retries', '40P01', true],
  ['a serialization failure that did', '40001', true],
  ['a password that is being rotated', '28P01', true],
  ['a database that is being restored', '3D000', true],
  ['a disk that is full', '53100', true],
  ['a server without a free connection', '53300', true],
])('%s may be retried', (_, code, nothingWritten) => {
  const fault = queryFailed(Object.assign(new Error('from the server'), { code }));
  expect(asUnavailable(fault)).toBeInstanceOf(Unavailable);
  expect(asUnavailable(fault)).toMatchObject({ nothingWritten });
});

test.each([
  ['a log of the server that finds no room', '53100', 'PANIC'],
  ['one that cannot be flushed', '58030', 'PANIC'],
  ['a file of the server that is missing', '58P01', 'FATAL'],
  ['a mistake in the server', 'XX000', 'FATAL'],
])('%s may end the server after the commit', (_, code, severity) => {
  const fault = queryFailed(Object.assign(new Error('from the server'), { code, severity }));
  expect(asUnavailable(fault)).toBeInstanceOf(Unavailable);
  expect(asUnavailable(fault)).toMatchObject({ nothingWritten: false });
  expect(isRejected(fault)).toBe(false);
});

test.each(['58030', 'XX000', '23505'])('%s of a statement is a fault of it, and rolled back', (code) => {
  const fault = queryFailed(Object.assign(new Error('from the server'), { code, severity: 'ERROR' }));
  expect(asUnavailable(fault)).toBe(fault);
  expect(isRejected(fault)).toBe(true);
});
