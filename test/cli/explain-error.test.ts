import { DrizzleQueryError } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { explain } from '../../src/cli/explain-error.ts';

const withCode = (code: string, message = `${code}: cannot, open '/a'`, more: object = {}) =>
  Object.assign(new Error(message), { code, ...more });
const queryFailed = (cause?: Error) =>
  new DrizzleQueryError('update users set login = $1', ['jane.doe'], cause);

test.each(['EPERM', 'EROFS', 'EPIPE', 'EBUSY', 'EXDEV'])('%s of a file is not a rejected change', (code) => {
  const error = withCode(code, undefined, { syscall: 'open', path: '/a' });
  expect(explain(error)).toBe(error.stack);
  expect(explain(error)).not.toContain('database');
});

test.each(['23514', '22P02', 'P0001', 'XX000', 'HV00N'])('the SQLSTATE %s is one', (code) => {
  expect(explain(queryFailed(withCode(code, 'row (jane.doe)')))).toBe(
    `The database rejected the change (${code}).`,
  );
});

test.each([
  ['CONNECTION_CLOSED', withCode('CONNECTION_CLOSED', 'write CONNECTION_CLOSED db:5432')],
  ['a value that cannot be sent', withCode('UNDEFINED_VALUE', 'UNDEFINED_VALUE: Undefined values')],
  ['a file', withCode('EPERM', undefined, { path: '/a' })],
  ['an error without a code', new TypeError('not a date')],
  ['a second wrapper', queryFailed(new TypeError('not a date'))],
  ['nothing', undefined],
])('the failed query is not quoted when its cause is %s', (_, cause) => {
  const text = explain(queryFailed(cause));
  expect(text).not.toMatch(/update users|jane\.doe/);
  if (cause !== undefined && !(cause instanceof DrizzleQueryError)) expect(text).toContain(cause.message);
  expect(text).not.toBe('');
});

test('an error that a failed query caused keeps its own stack', () => {
  const error = new Error('The desk cannot be read', { cause: queryFailed(new TypeError('not a date')) });
  expect(explain(error)).toBe(error.stack);
});
