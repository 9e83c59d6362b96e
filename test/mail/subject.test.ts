import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mailSubject } from '../../src/mail/header.ts';
import { createTestDatabase } from '../support/database.ts';

test('the subject that a preview shows is the one that the command writes in SQL', async () => {
  await using world = await createTestDatabase();
  const piece = fc.oneof(
    fc.constantFrom(
      'Re:',
      're :',
      'AW:',
      'Sv:',
      ' ',
      '\t',
      '\r\n',
      '[INC-1]',
      '[inc-1]',
      'INC-1',
      '\u2028',
      'Fwd:',
      '\u001f',
      '\u007f',
    ),
    fc.string({ unit: 'grapheme', maxLength: 5 }).map((text) => text.replaceAll('\0', '')),
  );
  const subjects = fc.sample(
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
    { numRuns: 500, seed: 47 },
  );
  const rows = await world.database.raw<{ subject: string }[]>`
    select mail_subject(s, 'INC-1') as subject from unnest(${subjects}::text[]) with ordinality as u (s, n) order by n`;
  expect(rows.map(({ subject }) => subject)).toEqual(
    subjects.map((subject) => mailSubject(subject, 'INC-1')),
  );
});
