import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { sampled, soaking } from '../support/soak.ts';
import { add, ask } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const indexMessages = () => gateway.sql`select fill_message_search(200)`;
// Searches parse messages that are not indexed yet, and all of a requester's: the next test's need not parse
// this one's large messages.
afterEach(() => gateway.sql`update messages set body = '' where octet_length(body) > 5000`);

interface Found {
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  nodes: { ticket: { ticketId: number }; ticketMessage: { messageId: number } | null }[];
}
const search = (text: string, more: object = {}, authorization = asOperator) =>
  ask<Found>(
    gateway,
    `query ($text: String!, $in: SearchPart, $first: Int, $after: String) {
      search(text: $text, in: $in, first: $first, after: $after) { pageInfo { hasNextPage endCursor }
        nodes { ticket { ticketId } ticketMessage { messageId } } } }`,
    { text, ...more },
    { authorization },
  );
const messagesIn = ({ nodes }: Found) => nodes.flatMap(({ ticketMessage }) => ticketMessage?.messageId ?? []);
const ticketsIn = ({ nodes }: Found) =>
  nodes.filter(({ ticketMessage }) => ticketMessage === null).map(({ ticket }) => ticket.ticketId);
const write = async (body: string, more: object = {}) =>
  (await add(gateway, { body, ...more })).ticketMessage.messageId;

test('a message is found as soon as it is written, by whole words in any order and case', async () => {
  const id = await write('The Flux Capacitor needs 1.21 gigawatts');
  for (const text of ['flux', 'CAPACITOR flux', '"flux capacitor"', 'gigawatts or nowhere', 'flux -fluxes'])
    expect([text, messagesIn(await search(text))]).toEqual([text, [id]]);
  for (const text of ['flu', '"capacitor flux"', 'flux -needs', 'flux nowhere'])
    expect([text, (await search(text)).nodes]).toEqual([text, []]);
});

test('tickets come before messages, each the newest first, and pages go through both', async () => {
  const written = [];
  for (let n = 0; n < 3; n++) written.unshift(await write('A sousaphone in the printer'));
  const whole = await search('printer', { first: 100 });
  expect(ticketsIn(whole).length).toBeGreaterThan(0);
  expect(messagesIn(whole).slice(0, 3)).toEqual(written);
  const paged: Found['nodes'] = [];
  for (let after: string | null = null, more = true; more; ) {
    const page: Found = await search('printer', { first: 2, after });
    paged.push(...page.nodes);
    after = page.pageInfo.endCursor;
    more = page.pageInfo.hasNextPage;
  }
  expect(paged).toEqual(whole.nodes);
  expect(messagesIn(await search('printer', { in: 'TICKETS', first: 100 }))).toEqual([]);
  expect(ticketsIn(await search('printer', { in: 'MESSAGES', first: 100 }))).toEqual([]);
});

test('a search goes through all parts of a desk', async () => {
  await gateway.sql`
    insert into messages (id, ticket_id, author_id, body, format, visibility, is_mobile_device)
    select n * 16384 + 1, 47, 1, 'ophicleide', 'TEXT', 'PUBLIC', false from generate_series(1, 5) n`;
  const found = [5, 4, 3, 2, 1].map((n) => n * 16_384 + 1);
  expect(messagesIn(await search('ophicleide'))).toEqual(found);
  const two = await search('ophicleide', { first: 2 });
  const rest = await search('ophicleide', { first: 3, after: two.pageInfo.endCursor });
  expect([...messagesIn(two), ...messagesIn(rest)]).toEqual(found);
  await gateway.sql`delete from messages where body = 'ophicleide'`;
});

test('tickets are found by subject, and by the beginning of a reference or an address', async () => {
  const [row] = await gateway.sql<{ email: string }[]>`
    select u.email from tickets t join users u on u.id = t.requester_id where t.id = 47`;
  for (const text of ['INC-000047', 'inc-000047']) expect(ticketsIn(await search(text))).toContain(47);
  for (const text of [row!.email, row!.email.slice(0, -3).toUpperCase()])
    expect(ticketsIn(await search(text, { first: 100 }))).toContain(47);
  await gateway.sql`update tickets set subject = 'About a contrabassoon' where id = 47`;
  expect(ticketsIn(await search('contrabassoon'))).toEqual([47]);
});

test('a megabyte of blanks is refused without being trimmed', async () => {
  const text = `a${' '.repeat(1 << 20)}a`;
  const listed = 'query ($text: String!) { tickets(filter: { text: $text }) { totalCount } }';
  const searched = 'query ($text: String!) { search(text: $text) { nodes { ticket { id } } } }';
  for (const query of [listed, searched]) {
    const { errors } = await gateway.graphql(query, { text });
    expect(errors?.[0]?.message).toBe(`The text has ${text.length} characters; 200 are allowed`);
  }
});

test('%, _ and quotes are characters like others', async () => {
  for (const text of [
    '%',
    '_',
    "'",
    '"',
    '\\',
    'INC%',
    "' or '1'='1",
    ':*',
    '<->',
    '!',
    '&',
    '()',
    '#0',
    '[]',
    '.,;',
    '-'.repeat(200),
    '- '.repeat(100),
    '-('.repeat(100),
    '🙂',
  ])
    expect([text, (await search(text)).nodes]).toEqual([text, []]);
});

/** How often a sender repeats what takes no end: the words are longer than any that is kept. */
const endless = soaking ? 25_000 : 2500;

describe('what looks the same is found', () => {
  test.each([
    ['accents in one piece or two', 'Un cafe\u0301 noir', 'café'],
    ['and the other way', 'Der Zürcher', 'Zu\u0308rcher'],
    ['a typographic apostrophe', 'They don’t answer zithers', "don't zithers"],
    ['typographic quotes around a phrase', 'a broken zurna', '“broken zurna”'],
    ['a space that does not break', 'non\u00a0breaking\u202fshawm', 'breaking shawm'],
    ['the number of an asset', 'It is cornamuse K-1311-3', 'cornamuse 1311'],
    ['the whole of it', 'It is cialamello K-1312-3', 'cialamello K-1312-3'],
    ['a year of a range, and a date', 'Dulzaina 2010-2015, 2026-11-29.', 'dulzaina 2015 2026-11-29'],
    ['hyphens of addresses', 'chirimia-7@my-2nd.domain.com ', 'chirimia-7@my-2nd.domain.com'],
    ['a hyphen that does not break', 'asset K\u20111207', 'K-1207'],
    ['characters that cannot be seen', 'a mel\u00adlo\u200bphone', 'mellophone'],
    ['an address of the web', 'See https://domain.com:8443/kazoo?x=1.', 'https://domain.com:8443/kazoo?x=1'],
    ['an address at the end', '(See www.domain.com/ocarina.)', 'www.domain.com/ocarina'],
    ['a part of an address', 'https://domain.com/a/crumhorn?b=c&d#e', 'crumhorn'],
    ['a file of a path', 'in /etc/sackbut/sackbut.conf', 'sackbut.conf'],
    ['a host with its port', 'db7.domain.com:5432 is down', 'db7.domain.com'],
    ['a line of a file', 'rackett.ts:42:7 failed', 'rackett.ts:42'],
    ['a dash between words', 'Theorbo - lute', 'theorbo - lute'],
    ['a line of dashes', `bagpipe ${'-'.repeat(60)} chanter`, `bagpipe ${'-'.repeat(60)} chanter`],
    ['an option of a command', 'run dulcimer --strings', 'dulcimer --strings'],
    ['an emoji of the search is no word', 'The cornet is silent', '🖨️ cornet 👩🏽‍💻 -🔥'],
    ['an emoji within the text', 'a buccin🖨\ufe0f🇩🇪1\ufe0f\u20e3 here', 'buccin 1 here'],
    ['a variation selector after a word', 'a tuben', 'tuben\ufe0f'],
    [
      'selectors, joiners and fillers within a word',
      'a cim\u034fba\ufe0fs\u{e0101}so',
      'cimbas\u180eso\u200d',
    ],
    ['a mark between a letter and its accent', 'a re\u034f\u0301beca', 'r\u00e9beca'],
    ['a filler that looks like a space', 'big\u3164gemshorn', 'gemshorn'],
    ['dots, dashes and quotes beside a word', '«psaltery…» — （rotta）、then', 'psaltery rotta then'],
    ['a symbol beside a word', 'Orpharion™ • 25°C ± €50', 'orpharion 25 c 50'],
    ['a word beside a tag', '<p>clavioline</p><br/>', 'clavioline'],
    ['a link in angle brackets', 'Join <https://domain.com/rebec/7>!', 'https://domain.com/rebec/7'],
    ['a word in angle brackets', 'List<Bombard> is empty', 'bombard'],
    ['what looks like an entity', 'Zampogna R&D; AT&T;', 'zampogna R&D; AT&T'],
    ['a sign before a number', 'The balalaika cost -4711', 'balalaika 4711'],
    ['a negative number in a phrase', 'Keep a bandura at -18 degrees', '"bandura at -18 degrees"'],
    ['two hyphens between numbers', 'Erhu, pages 301--302', 'erhu 301 302'],
    ['a telephone number', 'Call the koto at +420 555 123', 'koto 420 555 123'],
    ['a path from the folder above', 'in ../guqin/strings.conf', '../guqin/strings.conf'],
    ['an emphasised host', 'Use _pipa.org_ or santur.org-', 'pipa.org santur.org'],
    ['words joined without an end', `sheng ${'_a'.repeat(endless)}`, 'sheng'],
    ['numbers joined without an end', `suona ${'-7'.repeat(endless)}`, 'suona'],
    [
      'combining marks without an end',
      `vihuela ${'\u0345'.repeat(endless)}${'\u0301'.repeat(endless)}`,
      'vihuela',
    ],
  ])('%s', async (_, body, text) => {
    const id = await write(body);
    for (const as of [asOperator, asRequester]) expect(messagesIn(await search(text, {}, as))).toEqual([id]);
    await indexMessages();
    expect(messagesIn(await search(text))).toEqual([id]);
  });
});

test('no symbol, punctuation or invisible character beyond ASCII is a word or a part of one', async () => {
  // Thirteen signs of music and one of mathematics become a symbol and a combining mark.
  const isOfKind = (n: number, kind: RegExp) =>
    kind.test(String.fromCodePoint(n)) && !/\P{M}\p{M}/u.test(String.fromCodePoint(n).normalize());
  const beyondAscii = sampled(
    Array.from({ length: 0x11_0000 - 0x80 }, (_, n) => n + 0x80),
    7,
  );
  const points = (kind: RegExp) => beyondAscii.filter((n) => (n < 0xd800 || n > 0xdfff) && isOfKind(n, kind));
  const unlike = async (kind: RegExp, words: string) => {
    const rows = await gateway.sql`
      select to_hex(n) as code from unnest(${points(kind)}::int[]) n
      where text_words('a' || chr(n) || 'b') <> ${words}::tsvector`;
    return rows.map(({ code }) => code);
  };
  // U+2010 and U+2011 are the hyphen of a keyboard.
  expect(await unlike(/[[\p{P}\p{S}\p{Z}\p{Me}\p{Cc}]--[\p{DI}\u2010\u2011]]/v, "'a':1 'b':2")).toEqual([]);
  expect(await unlike(/[[\p{DI}]--[\u3164\uffa0]]/v, "'ab':1")).toEqual([]);
});

test('tags of HTML are no words', async () => {
  await write('<section>hautbois</section>', { format: 'HTML' });
  expect((await search('hautbois')).nodes).toHaveLength(1);
  expect((await search('section')).nodes).toEqual([]);
});

test('HTML is found by what a reader sees', async () => {
  const body = `<p>Gr&ouml;&szlig;e: ain&#8217;t &#x17E;aluzie, it&#146;s 5&nbsp;&lt;lituus&gt;</p>
    m&shy;m R&amp;D <!-- <b>carnyx</b> --><style>.x { color: salpinx }</style>`;
  const id = await write(body, { format: 'HTML' });
  for (const as of [asOperator, asRequester]) {
    for (const text of ['größe', "ain't", 'žaluzie', "it's 5", 'lituus', 'mm R&D'])
      expect([text, messagesIn(await search(text, {}, as))]).toEqual([text, [id]]);
    for (const text of ['ouml', 'szlig', '8217', 'carnyx', 'salpinx'])
      expect([text, (await search(text, {}, as)).nodes]).toEqual([text, []]);
  }
  const open = await write(`karnay ${'<!--'.repeat(12_000)} surnay`, { format: 'HTML' });
  expect(messagesIn(await search('karnay surnay'))).toEqual([open]);
});

test('a decomposed letter is one, wherever it is in a text beyond ASCII', async () => {
  const all = sampled(
    Array.from({ length: 0x11_0000 }, (_, n) => n).filter((n) => n < 0xd800 || n > 0xdfff),
    11,
  );
  const letters = all.map((n) => String.fromCodePoint(n)).filter((one) => one.normalize('NFD') !== one);
  const composed = letters.filter((one) => one.normalize('NFD').normalize('NFC') === one);
  expect(composed.length).toBeGreaterThan(soaking ? 12_000 : 1000);
  for (const before of sampled([23, 22, 24], 3)) {
    const row = '─'.repeat(before);
    const rows = await gateway.sql`
      select letter from unnest(${composed.map((one) => row + one.normalize('NFD'))}::text[],
        ${composed}::text[]) as texts (text, letter)
      where plain_text(text || ${row}) <> ${row} || letter || ${row}`;
    expect(rows.map(({ letter }) => letter)).toEqual([]);
  }
});

test('what was copied around a reference is not searched for', async () => {
  const blanks = ['\tINC-000047\n', '\u00a0inc-000047', '\ufeffINC-000047\u200b'];
  for (const as of [asOperator, asRequester])
    for (const text of [...blanks, '[INC-000047]', '"INC-000047"', '(INC-000047).', 'INC\u2011000047'])
      expect([text, ticketsIn(await search(text, {}, as))]).toEqual([text, [47]]);
  const { nodes } = await ask<{ nodes: unknown[] }>(
    gateway,
    '{ tickets(filter: { text: " INC-000047\u00a0" }) { nodes { id } } }',
  );
  expect(nodes).toHaveLength(1);
  const { errors } = await gateway.graphql(
    '{ search(text: "\u200b \ufeff\ufe0f\u3164") { nodes { __typename } } }',
  );
  expect(errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
});

test('a reference is found with the sign for a number before it, which may be a part of it', async () => {
  const [first, second] = await gateway.sql<{ id: number }[]>`
    insert into tickets (reference, subject, requester_id)
    values ('#7700', 'with a sign', 2), ('7700', 'without one', 2) returning id`;
  const both = [second!.id, first!.id];
  for (const as of [asOperator, asRequester]) {
    const listed = async (filter: string) =>
      (
        await ask<{ nodes: { ticketId: number }[] }>(
          gateway,
          `{ tickets(filter: { ${filter} }) { nodes { ticketId } } }`,
          {},
          { authorization: as },
        )
      ).nodes.map(({ ticketId }) => ticketId);
    for (const text of ['#INC-000047', '(#inc-000047),'])
      expect([text, ticketsIn(await search(text, {}, as))]).toEqual([text, [47]]);
    expect(await listed('reference: "#inc-000047"')).toEqual([47]);
    expect(await listed('text: "#INC-000047"')).toEqual([47]);
    expect(ticketsIn(await search('#7700', {}, as))).toEqual(both);
    expect(ticketsIn(await search('#770', { first: 1 }, as))).toEqual([second!.id]);
    expect(ticketsIn(await search('7700', {}, as))).toEqual([second!.id]);
    expect(await listed('reference: "#7700"')).toEqual(both);
    expect(await listed('reference: "7700"')).toEqual([second!.id]);
    for (const none of ['#', '##', '(#)']) expect(ticketsIn(await search(none, {}, as))).not.toContain(47);
    expect(await listed('reference: "#"')).toEqual([]);
  }
  await gateway.sql`delete from tickets where reference in ('#7700', '7700')`;
});

test('what was redacted is not found', async () => {
  const id = await write('The password is hurdygurdy');
  expect(messagesIn(await search('hurdygurdy'))).toEqual([id]);
  await gateway.graphql(`mutation { redactMessage(input: { message: "${btoa(`TicketMessage:${id}`)}" }) {
    __typename } }`);
  expect((await search('hurdygurdy')).nodes).toEqual([]);
});

test('a large body is searched in its beginning, and written whatever its words are', async () => {
  const words = Array.from({ length: 60_000 }, (_, n) => `bandoneon${n}`).join(' ');
  const id = await write(`concertina ${words} theremin`);
  expect(messagesIn(await search('concertina bandoneon77'))).toEqual([id]);
  expect((await search('theremin')).nodes).toEqual([]);
});

test('a requester finds public messages and tickets of their own alone', async () => {
  const own = await write('For all: glockenspiel');
  await write('A note: glockenspiel', { visibility: 'PRIVATE' });
  await write('Of another: glockenspiel', { ticket: { ticketId: 1 } });
  await gateway.sql`update tickets set subject = 'Two glockenspiels: glockenspiel' where id in (1, 42)`;
  expect((await search('glockenspiel')).nodes).toHaveLength(5);
  const found = await search('glockenspiel', {}, asRequester);
  expect([ticketsIn(found), messagesIn(found)]).toEqual([[42], [own]]);
  expect(found.pageInfo.hasNextPage).toBe(false);
  expect(ticketsIn(await search('INC-000001', {}, asRequester))).toEqual([]);
});

test('a cursor belongs to its text, its part and its class of viewers', async () => {
  await write('euphonium euphonium');
  await write('euphonium');
  const { endCursor: after } = (await search('euphonium', { first: 1 })).pageInfo;
  expect((await search('euphonium', { after })).nodes).toHaveLength(1);
  for (const [text, more, authorization] of [
    ['printer', {}, asOperator],
    ['euphonium', { in: 'MESSAGES' }, asOperator],
    ['euphonium', {}, asRequester],
  ] as const)
    await expect(search(text, { ...more, after }, authorization)).rejects.toThrow('INVALID_INPUT');
});

test('the words of a short plain text are those that the rules for all texts give', async () => {
  const parts = [
    'R',
    'printer',
    'INC',
    '47',
    '3.5',
    'a.b',
    "don't",
    '"',
    ' ',
    '  ',
    '.',
    '..',
    ',',
    ';',
    '!',
    '?',
  ];
  const others = [
    '(',
    ')',
    "'",
    '-',
    '--',
    '_',
    '/',
    ':',
    '+',
    '&',
    '<',
    '@',
    '#',
    '\t',
    '\n',
    'é',
    '\u00a0',
    '’',
  ];
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const texts = Array.from({ length: 4000 }, (_, n) => {
    const from = n % 2 === 0 ? parts : [...parts, ...others];
    return Array.from({ length: 1 + next(n % 5 === 0 ? 60 : 8) }, () => from[next(from.length)]).join('');
  });
  const different = await gateway.sql`
    select text from unnest(${texts}::text[]) as texts (text)
    where text_words(text) <> to_tsvector('simple', regexp_replace(
      parsed_text(left(text, 50000)), '(?<![-!])-+(?=\\d)', ' ', 'g'))`;
  expect(different).toEqual([]);
});
