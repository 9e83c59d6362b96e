import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cleanHtml } from '../../../src/content/html/clean-html.ts';
import { migrate, openDatabase } from '../../../src/db/database.ts';
import { startEmbedded } from '../../../src/dev/embedded-postgres/start-postgres.ts';
import { envelopeAddress } from '../../../src/mail/address.ts';
import { mailFileName } from '../../../src/mail/compose/headers.ts';
import { fillDesk, memoryBlobs, type QueuedMail, queueMail, startWorker } from '../../mail/world/desk.ts';
import { bodyOf, type ParsedMail, parseMails } from '../../mail/world/parse.ts';
import { startPostfix } from './postfix.ts';
import { seeded } from './world.ts';

/*
 * Sends mails of all kinds through a real Postfix and reads what it delivered with Python's e-mail package:
 * no defects, bodies and attachments equal to the byte, blind copies nowhere but in the envelope. Exits 1
 * otherwise. Needs root, Debian and python3.
 *
 *   node test/crash/mail/postfix-run.ts [--mails 200] [--seed 1]
 */

const bodies = [
  'Hello Jane,\n\nplease unplug it.',
  'a\n.\nb\n..\n.\n',
  'a\r.\rb\r\n.\r\nMAIL FROM:<x@y.z>\r\n',
  'From me\nFrom you',
  'x'.repeat(5000),
  'příliš žluťoučký kůň úpěl ďábelské ódy\n'.repeat(30),
  '日本語の本文です。\n'.repeat(60),
  'trailing blanks   \n\tand tabs\t\n=3D = =\n',
  '\u{1f600} emoji and \u202ertl\u202c marks',
  'שלום עולם\nمرحبا',
  '\n\n\n',
  `${'word '.repeat(4000)}end`,
];
const htmlBodies = [
  '<p>Hello <b>Jane</b></p><ul><li>a</li><li>ž</li></ul>',
  '<p>See <img src="cid:photo 1.png"></p>',
  '<table><tr><td>1</td><td>日本</td></tr></table>',
];
const names = [
  'report.pdf',
  'Příloha č. 1 – smlouva.pdf',
  '請求書.pdf',
  'a "quoted"; name\\.txt',
  `${'long'.repeat(80)}.txt`,
  '\u202egpj.exe',
  "it's 100% (ok)=yes.bin",
  'photo 1.png',
];
const people = [
  ['jane.doe@domain.com', 'Jane Doe'],
  ['zofie@žluťoučký.cz', 'Žofie Šťastná'],
  ['"a,b c"@domain.com', 'Comma, "Quote" Backslash\\'],
  ['žofie@domain.cz', 'SMTP UTF8'],
  ['taro@例え.jp', '山田 太郎'],
  ["o'brien+tag@domain.com", ''],
] as const;

function mailOf(n: number, random: () => number): QueuedMail {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const html = n % 3 === 2;
  const [to, toName] = people[n % people.length]!;
  const files = Array.from({ length: n % 5 === 0 ? 0 : n % 4 }, (_, k) => {
    const size = pick([0, 1, 56, 57, 58, 1000, 65_521, 300_000, n % 40 === 3 ? 5_000_000 : 10]);
    const bytes = Buffer.from(Array.from({ length: Math.min(size, 1000) }, () => random() * 256));
    return {
      fileName: html && k === 0 ? 'photo 1.png' : pick(names),
      contentType: pick(['application/pdf', 'text/plain', 'image/png', 'message/rfc822', 'x']),
      bytes: Buffer.alloc(size, bytes.length > 0 ? bytes : undefined),
    };
  });
  return {
    ticketId: 1 + (n % 50),
    to,
    toName,
    cc: n % 2 === 0 ? ['second@domain.com', 'third@例え.jp'] : [],
    bcc: n % 3 === 0 ? [`hidden-${n}@secret.example`] : [],
    subject: pick([
      'Re: Printer on fire [INC-000047]',
      'Re: Žluťoučký kůň 日本語 [INC-000047]',
      `Re: ${'long '.repeat(100)}[INC-000047]`,
      `Re: ${'x'.repeat(1200)}`,
      'Re: =?utf-8?q?x?= "q" \\ [INC-000047]',
    ]),
    body: html ? pick(htmlBodies) : bodies[n % bodies.length]!,
    format: html ? 'HTML' : 'TEXT',
    signature: n % 7 === 0 ? 'Company\nHelp desk' : '',
    quote: n % 11 === 0 ? 'ALL' : 'NONE',
    files,
  };
}

const canonical = (text: string): string => text.replace(/\r\n|\r|\n/g, '\r\n');

/** Everything in which a delivered mail is not what was committed. */
function differences(mail: QueuedMail, parsed: ParsedMail): string[] {
  const wrong: string[] = [];
  const same = (what: string, a: unknown, b: unknown) => {
    if (JSON.stringify(a) !== JSON.stringify(b))
      wrong.push(`${what}: ${JSON.stringify(a)?.slice(0, 200)} is not ${JSON.stringify(b)?.slice(0, 200)}`);
  };
  // Python keeps calling letters beyond ASCII before an @ a defect, which RFC 6531 made legal.
  const defects = parsed.defects.filter(
    (defect) =>
      !(mail.to === 'žofie@domain.cz' && /^To: (?:NonASCIILocalPart|UndecodableBytes)/.test(defect)),
  );
  same('defects', defects, []);
  same(
    'to',
    parsed.to.map(([, address]) => address),
    [mail.to === 'žofie@domain.cz' ? mail.to : envelopeAddress(mail.to!)],
  );
  same(
    'cc',
    parsed.cc.map(([, address]) => address),
    mail.cc!.map(envelopeAddress),
  );
  same('subject', parsed.headers.find(([name]) => name === 'Subject')?.[1], mail.subject);
  if (parsed.longestLine > 998) wrong.push(`a line of ${parsed.longestLine}`);
  const [text] = parsed.parts;
  const own = canonical(mail.format === 'HTML' ? cleanHtml(mail.body!, 'SHOWN').text : mail.body!);
  const read = canonical(bodyOf(text!).toString());
  if (mail.signature === '' && mail.quote === 'NONE') same('body', read, own);
  else same('body', read.slice(0, own.length), own);
  // A file is found by its bytes and its name, wherever it stands.
  const files = parsed.parts
    .slice(2)
    .map((part) => `${part.name} ${part.body}`)
    .sort();
  const ours = mail
    .files!.map(({ fileName, bytes }, n) => `${mailFileName(fileName, n + 1)} ${bytes.toString('base64')}`)
    .sort();
  if (mail.quote === 'NONE') same('files', files, ours);
  // Quoted messages bring their pictures with them.
  else
    same(
      'files',
      ours.filter((file) => !files.includes(file)),
      [],
    );
  for (const [name, value] of parsed.headers)
    if (
      !/^(?:Delivered-To|X-Original-To|Received)$/.test(name) &&
      (/^bcc$/i.test(name) || /hidden|secret/i.test(value))
    )
      wrong.push(`a blind copy in ${name}`);
  return wrong;
}

async function main(count: number, seed: number): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'postfix-run-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const postfix = stack.use(await startPostfix({ keep: 'maildir' }));
  const server = stack.use(await startEmbedded(join(directory, 'pg')));
  await migrate(server.connection);
  const { raw: sql } = stack.use(openDatabase(server.connection));
  await fillDesk(sql, { tickets: 50 });
  const blobs = memoryBlobs();
  const random = seeded(seed);
  const mails = new Map<string, QueuedMail>();
  for (let n = 0; n < count; n += 1) {
    const mail = mailOf(n, random);
    const id = await queueMail(sql, blobs, mail);
    const [row] = await sql`select rfc_message_id as rfc from deliveries where id = ${id}`;
    mails.set(row!.rfc as string, mail);
  }
  stack.use(startWorker({ sql, blobs, smtpUrl: postfix.url, leaseSeconds: 60, timeouts: {} }));
  const expected = [...mails.values()].reduce((sum, mail) => sum + 1 + mail.cc!.length + mail.bcc!.length, 0);
  let sources: Buffer[] = [];
  for (let n = 0; n < 600 && sources.length < expected; n += 1) {
    await sleep(200);
    sources = await postfix.delivered();
  }
  const states = await sql`select state, count(*)::int as n from deliveries group by state`;
  say(
    `${count} mails, ${expected} copies expected, ${sources.length} delivered by Postfix; ledger: ` +
      `${states.map(({ state, n }) => `${state} ${n}`).join(', ')}`,
  );
  const faults: string[] = sources.length === expected ? [] : ['copies are missing or too many'];
  const seen = new Set<string>();
  for (const parsed of await parseMails(sources)) {
    const messageId = parsed.headers.find(([name]) => name === 'Message-ID')![1];
    seen.add(messageId);
    const mail = mails.get(messageId);
    for (const wrong of mail === undefined ? ['unknown Message-ID'] : differences(mail, parsed))
      faults.push(`${messageId} ${wrong}`);
  }
  if (seen.size !== count) faults.push(`${seen.size} of ${count} mails were seen`);
  say(`parsed ${sources.length} sources of ${seen.size} mails: ${faults.length} faults`);
  for (const fault of faults.slice(0, 20)) say(`  ${fault}`);
  return faults.length === 0 ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const { values } = parseArgs({
  options: { mails: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
process.exitCode = await main(Number(values.mails), Number(values.seed));
