import { IncomingFile } from '../../platform/incoming-file.ts';
import { parseInstant } from '../../platform/instant.ts';
import { ExpectedFile } from '../context/expected-file.ts';
import { builder } from './builder.ts';

builder.scalarType('DateTime', {
  description:
    'An instant, by RFC 3339. Answers are in UTC with milliseconds: `2026-11-22T12:00:00.000Z`. Inputs ' +
    'may have any offset: `2026-11-22T13:00:00+01:00`; an instant that does not exist, such as 30 ' +
    'February, is refused.',
  specifiedByURL: 'https://datatracker.ietf.org/doc/html/rfc3339',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const instant = typeof value === 'string' ? parseInstant(value) : undefined;
    if (instant === undefined)
      throw new TypeError(
        'DateTime must be RFC 3339 text of an instant that exists, like 2026-11-22T12:00:00Z',
      );
    return instant;
  },
});

builder.scalarType('Upload', {
  specifiedByURL: 'https://github.com/jaydenseric/graphql-multipart-request-spec',
  description:
    'A file of this request, by the GraphQL multipart request specification: the variable is null and ' +
    'the part is mapped to it.',
  parseValue: (value) => {
    if (value instanceof IncomingFile) return value;
    if (value instanceof ExpectedFile) return value.arrival;
    throw new TypeError('Upload takes a file of a multipart request, as a variable');
  },
  serialize: () => {
    throw new TypeError('Upload is for input only');
  },
});
