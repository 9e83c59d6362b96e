import { IncomingFile } from '../incoming-file.ts';
import { builder } from './builder.ts';
import { ExpectedFile } from './multipart/map.ts';

/** With its offset: a time of day without one is another instant on every machine. */
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

builder.scalarType('DateTime', {
  description: 'An instant in UTC, RFC 3339 with milliseconds: `2026-11-22T12:00:00.000Z`.',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const instant = typeof value === 'string' && rfc3339.test(value) ? new Date(value) : undefined;
    if (instant === undefined || Number.isNaN(instant.getTime()))
      throw new TypeError('DateTime must be RFC 3339 text');
    return instant;
  },
});

builder.scalarType('Upload', {
  description:
    'A file of this request, by the GraphQL multipart request specification: the variable is null and the part is mapped to it.',
  parseValue: (value) => {
    if (value instanceof IncomingFile) return value;
    if (value instanceof ExpectedFile) return value.arrival;
    throw new TypeError('Upload takes a file of a multipart request, as a variable');
  },
  serialize: () => {
    throw new TypeError('Upload is for input only');
  },
});
