import fc from 'fast-check';
import { samples } from '../../../src/legacy/help/samples.ts';

/** How many mutants a run makes; LEGACY_MUTANTS=10000 for the long one. */
export const mutantCount = Number(process.env.LEGACY_MUTANTS ?? 300);

const posts = 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts';

/** Good bodies to start from: short and long, with everything and with little. */
export const seeds = {
  json: [
    '{"TicketId":1,"Message":"x"}',
    '{"TicketREF":"INC-000047","TicketId":null,"Message":"P\\u0159\\u00edloha","Html":false,"IsPrivate":' +
      'false,"IsMobileDevice":true,"Attachments":null}',
    '{"TicketId":2,"Message":"two ' +
      'files","Attachments":[{"FileName":"a.txt","ContentType":"text/plain","ContentLength":"5","Data":"' +
      'aGVsbG8="},{"FileName":"b","Data":[104,105]}]}',
    samples.requestJson,
  ],
  xml: [
    `<NewMessagePost xmlns="${posts}"><Message>x</Message><TicketId>1</TicketId></NewMessagePost>`,
    `<?xml version="1.0" encoding="utf-8"?><p:NewMessagePost xmlns:p="${posts}"><!-- c ` +
      '--><p:Message><![CDATA[<b>]]>&lt;&#382;</p:Message><p:TicketId>2</p:TicketId></p:NewMessagePost>',
    samples.requestXml,
  ],
};

/** Pieces of syntax that hurt most where they do not belong. */
const shards = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    "'",
    '\\',
    '\\u',
    '\\ud800',
    '//',
    '/*',
    '*/',
    'null',
    'true',
    'new Date(',
    '12.0',
    '0x10',
    '-',
  ],
  ...[
    '<',
    '>',
    '</',
    '/>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<!DOCTYPE a>',
    '<?x?>',
    '&',
    '&#1;',
    '&#xD800;',
    '&e;',
    ' i:nil="1"',
    'xmlns=""',
  ],
  ...[' ', '\n', '\t', 'a', 'e', '1', '0', 'true', '.'],
  ...['\0', '\r\n', '\ufeff', '\u00a0', '€', '😀', '\ud800', 'A', '=', ' '],
];

const edit = fc.record({
  at: fc.nat(1_000_000),
  length: fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(12) }),
  to: fc.nat(1_000_000),
  kind: fc.constantFrom('delete', 'insert', 'replace', 'double', 'move', 'byte', 'cut'),
  shard: fc.constantFrom(...shards),
  byte: fc.nat(255),
});
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function apply(body: Buffer, { at, length, to, kind, shard, byte }: Edit): Buffer {
  const from = at % (body.length + 1);
  const end = Math.min(body.length, from + length);
  const [before, span, after] = [body.subarray(0, from), body.subarray(from, end), body.subarray(end)];
  switch (kind) {
    case 'delete':
      return Buffer.concat([before, after]);
    case 'insert':
      return Buffer.concat([before, Buffer.from(shard), span, after]);
    case 'replace':
      return Buffer.concat([before, Buffer.from(shard), after]);
    case 'double':
      return Buffer.concat([before, span, span, after]);
    case 'move': {
      const rest = Buffer.concat([before, after]);
      const target = to % (rest.length + 1);
      return Buffer.concat([rest.subarray(0, target), span, rest.subarray(target)]);
    }
    case 'byte':
      return Buffer.concat([before, Buffer.of(byte), after]);
    case 'cut':
      return before;
  }
}

/** A good body with one edit, or a few. */
export const mutant = fc
  .record({
    format: fc.constantFrom('json' as const, 'xml' as const),
    seed: fc.nat(1000),
    edits: fc.oneof(
      { weight: 4, arbitrary: fc.array(edit, { minLength: 1, maxLength: 1 }) },
      { weight: 1, arbitrary: fc.array(edit, { minLength: 2, maxLength: 4 }) },
    ),
  })
  .map(({ format, seed, edits }) => {
    const bodies = seeds[format];
    return { format, body: edits.reduce(apply, Buffer.from(bodies[seed % bodies.length]!)) };
  });
