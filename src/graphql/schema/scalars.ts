import { IncomingFile } from '../../platform/incoming-file.ts';
import { formatInstant, parseInstant } from '../../platform/instants.ts';
import { ExpectedFile } from '../context/expected-file.ts';
import { builder } from './builder.ts';

builder.scalarType('DateTime', {
  description:
    'An instant as in RFC 3339. Results are in UTC with milliseconds: `2026-11-22T12:00:00.000Z`. ' +
    'Inputs may have any offset: `2026-11-22T13:00:00+01:00`. Invalid dates such as 30 February are ' +
    'rejected.',
  specifiedByURL: 'https://datatracker.ietf.org/doc/html/rfc3339',
  serialize: formatInstant,
  parseValue: (value) => {
    const instant = typeof value === 'string' ? parseInstant(value) : undefined;
    if (instant === undefined)
      throw new TypeError('DateTime must be a valid RFC 3339 date and time, like 2026-11-22T12:00:00Z');
    return instant;
  },
});

builder.scalarType('Upload', {
  specifiedByURL: 'https://github.com/jaydenseric/graphql-multipart-request-spec',
  description:
    'A file of this request, as in the GraphQL multipart request specification: the variable is null ' +
    'and a part is mapped to it.',
  parseValue: (value) => {
    if (value instanceof IncomingFile) return value;
    if (value instanceof ExpectedFile) return value.arrival;
    throw new TypeError('Upload must be a variable that is mapped to a file of a multipart request');
  },
  serialize: () => {
    throw new TypeError('Upload is for input only');
  },
});
