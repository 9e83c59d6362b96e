import { expect, test } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';

test('the subject of a reply: one line, `Re:` once, the reference once', async () => {
  await using world = await createTestDatabase();
  const cases = [
    ['Printer on fire', 'Re: Printer on fire [INC-000047]'],
    ['Re: Printer on fire', 'Re: Printer on fire [INC-000047]'],
    ['RE: re:  Aw: Printer', 'Re: Printer [INC-000047]'],
    ['Sv : odp:\tPrinter', 'Re: Printer [INC-000047]'],
    ['Fwd: Re: Printer', 'Re: Fwd: Re: Printer [INC-000047]'],
    ['Printer [inc-000047]', 'Re: Printer [inc-000047]'],
    ['Printer\r\nBcc: x@y', 'Re: Printer Bcc: x@y [INC-000047]'],
    ['a\u001f\u007f\u2028b\u2029c', 'Re: a b c [INC-000047]'],
    ['Re: Re:', 'Re:  [INC-000047]'],
  ];
  const rows = await world.database.raw<{ subject: string }[]>`
    select mail_subject(s, 'INC-000047') as subject
    from unnest(${cases.map(([given]) => given!)}::text[]) with ordinality as u (s, n) order by n`;
  expect(rows.map(({ subject }) => subject)).toEqual(cases.map(([, wanted]) => wanted));
});
