import { DrizzleQueryError } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { describeFault, describeStartError } from '../src/describe-start-error.ts';

test('a query that fails during the start is described by its cause and is not quoted', () => {
  const cause = Object.assign(new Error('relation "tickets" already exists'), { code: '42P07' });
  const failed = new DrizzleQueryError('insert into users values ($1)', ['jane.doe'], cause);
  expect(describeStartError(failed)).toBeUndefined();
  expect(describeFault(failed)).toBe(cause.stack);
  expect(describeFault(failed)).not.toMatch(/insert into|jane\.doe/);
});

test('a missing file is no trouble of DATABASE_URL', () => {
  const error = Object.assign(new Error("ENOENT: no such file or directory, open '/a/theme.css'"), {
    ...{ errno: -2, code: 'ENOENT', syscall: 'open', path: '/a/theme.css' },
  });
  expect(describeStartError(error)).toBeUndefined();
  expect(describeFault(error)).toBe(error.stack);
});
