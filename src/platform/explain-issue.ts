import type { z } from 'zod';

const kinds: ReadonlyMap<string, string> = new Map(
  Object.entries({
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'an object',
  }),
);
/** Longest value that is repeated in a message. */
const maxShown = 40;

/**
 * Zod's error map for input that people write. It says what is wrong with a member in plain words, which
 * follow the member's name: `is missing`, `must be a number`. Where only some values are allowed, a wrong
 * text of up to 40 characters is repeated; no other value is. Undefined for other kinds of issues, which keep
 * the library's words. A rule with a message of its own keeps that.
 */
export const explainIssue: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is missing'
        : `must be ${kinds.get(issue.expected) ?? issue.expected}`;
    case 'invalid_value':
      return issue.input === undefined
        ? 'is missing'
        : `must be ${issue.values.join(' or ')}${notThis(issue.input)}`;
    case 'too_small':
      return tooSmall(issue);
    case 'too_big':
      return tooBig.get(issue.origin)?.(issue.maximum) ?? `must be ${mostOf(issue)}`;
    case 'unrecognized_keys':
      return notFields(issue.keys, issue.input);
    default:
      return undefined;
  }
};

function tooSmall({ origin, minimum, inclusive }: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall>): string {
  const least = tooShort.get(origin);
  if (least !== undefined) return minimum <= 1 ? 'is empty' : least(minimum);
  return inclusive === false ? `must be more than ${minimum}` : `must be at least ${minimum}`;
}

const mostOf = ({ maximum, inclusive }: z.core.$ZodRawIssue<z.core.$ZodIssueTooBig>): string =>
  inclusive === false ? `less than ${maximum}` : `at most ${maximum}`;

const tooShort: ReadonlyMap<string, (least: number | bigint) => string> = new Map(
  Object.entries({
    string: (least) => `is shorter than ${least} characters`,
    array: (least) => `has fewer than ${least} members`,
  }),
);
const tooBig: ReadonlyMap<string, (most: number | bigint) => string> = new Map(
  Object.entries({
    string: (most) => `is longer than ${most} characters`,
    array: (most) => `has more than ${most} members`,
  }),
);

const notThis = (input: unknown): string =>
  typeof input === 'string' && input.length <= maxShown ? `, not ${JSON.stringify(input)}` : '';

function notFields(keys: readonly string[], input: unknown): string {
  const { type } = input as { readonly type?: unknown };
  const of = typeof type === 'string' ? ` of a ${type}` : '';
  const named = keys.map((key) => JSON.stringify(key)).join(', ');
  return keys.length === 1 ? `${named} is not a field${of}` : `${named} are not fields${of}`;
}
