import { expect, test } from 'vitest';
import { type Source, sourcesBelow } from './sources.ts';

/* The compiler sees that a command's union has the code of each refusal, if each is thrown by `refuse`. */

/** All but reads, whose refusals are errors of the request, not members of a result union. */
const commands = /^src\/tickets\/(?!read\/|events\/|deliveries\/(?:raw-mail|list-deliveries)\.ts)/;
const others = String.raw`error\b|fault\b|asUnavailable\(|new (?:Error|UploadFault|TypeError)\(`;
const uploadFaults = String.raw`uploadNotFound\(|mismatch\(|digestMismatch\(|wrongOffset\(|busy\(`;
const allowed = new RegExp(
  String.raw`^throw (?:refuse(?:<[^>]*>)?\(|${others}|${uploadFaults}|refused;|\(await lostUploads)`,
);

const uncheckedThrows = (files: readonly Source[]): string[] =>
  files
    .filter(({ path }) => commands.test(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/^(?! *\*).*?\b(throw .*)/gm)]
        .map(([, statement]) => statement!)
        .filter((statement) => !allowed.test(statement))
        .map((statement) => `${path}: ${statement}`),
    );

test('every refusal of a command is checked against its result union', () => {
  expect(uncheckedThrows(sourcesBelow('src'))).toEqual([]);
});

test.each(["throw new Refusal('FORBIDDEN', 'no');", 'throw ticketNotFound();'])(
  'an unchecked refusal is found: %s',
  (text) => {
    expect(uncheckedThrows([{ path: 'src/tickets/redact/planted.ts', text }])).toHaveLength(1);
  },
);
