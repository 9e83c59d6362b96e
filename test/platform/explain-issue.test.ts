import { expect, test } from 'vitest';
import { z } from 'zod';
import { explainIssue } from '../../src/platform/explain-issue.ts';

test.each<[string, z.ZodType, unknown, string]>([
  ['an empty text', z.string().min(1), '', 'is empty'],
  ['a short text', z.string().min(3), 'ab', 'is shorter than 3 characters'],
  ['a long text', z.string().max(2), 'abc', 'is longer than 2 characters'],
  ['an empty list', z.array(z.int()).min(1), [], 'is empty'],
  ['a short list', z.array(z.int()).min(2), [1], 'has fewer than 2 members'],
  ['a long list', z.array(z.int()).max(1), [1, 2], 'has more than 1 members'],
  ['a low number', z.int().min(5), 4, 'must be at least 5'],
  ['a high number', z.int().max(5), 6, 'must be at most 5'],
  ['a number at an open lower end', z.number().gt(5), 5, 'must be more than 5'],
  ['a number at an open upper end', z.number().lt(5), 5, 'must be less than 5'],
])('%s is told by what it is', (_name, schema, value, told) => {
  const { error } = schema.safeParse(value, { error: explainIssue });
  expect(error?.issues.map(({ message }) => message)).toEqual([told]);
});
