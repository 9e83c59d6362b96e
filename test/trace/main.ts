/*
 * npm run trace:mutation [-- --functions] [-- --tree ../another]
 *
 * What one warm request walks through: a JSON mutation to its answer, one with an e-mail to the delivered
 * mail, and the same by the legacy door's XML. `npm run drawing` shows the rooms it walks through.
 *
 * Counted by V8, the same for every tree:
 * - A function counts once, whatever its size, when each of ten warm requests called it. Methods, getters,
 *   callbacks and initialisers of fields are functions. What a timer or a poll calls in only some of the ten
 *   does not count.
 * - A file counts when one of its functions does. Tables, settings and types that are only read do not.
 * - Packages do not count, nor does the mail server. What the worker writes once the mail server has the mail
 *   counts.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { samples } from '../../src/legacy/help/samples.ts';
import { startSmtpSink } from '../support/servers/smtp-sink.ts';
import { Coverage, type Walk } from './coverage.ts';

const root = resolve(import.meta.dirname, '../..');
const { values: options } = parseArgs({
  options: { functions: { type: 'boolean', default: false }, tree: { type: 'string', default: root } },
});
const src = pathToFileURL(`${resolve(options.tree)}/src/`);
/** The program of the tree, which may be an older one: the tracer needs these two functions alone. */
const { createApp }: typeof import('../../src/app.ts') = await import(new URL('app.ts', src).href);
const { readConfig }: typeof import('../../src/config.ts') = await import(new URL('config.ts', src).href);
const out = (line: string) => process.stdout.write(`${line}\n`);
/** Requests before those that are counted: what is remembered of a document or a password is there then. */
const warm = 30;
const counted = 10;

await using parts = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), 'ticketwire-trace-'));
await chmod(directory, 0o711);
parts.defer(() => rm(directory, { recursive: true, force: true }));
const sink = parts.use(await startSmtpSink());
const coverage = parts.use(await Coverage.start(src));
const config = { DATA_DIR: directory, PORT: '0', SMTP_URL: sink.url, LOG_LEVEL: 'silent' };

async function post(url: string, type: string, body: string): Promise<void> {
  const authorization = `Basic ${Buffer.from('operator:operator').toString('base64')}`;
  const answer = await fetch(url, { method: 'POST', headers: { authorization, 'content-type': type }, body });
  const text = await answer.text();
  if (!answer.ok || !/AddTicketMessagePayload|TicketMessageId/.test(text)) throw new Error(text);
}
const query =
  'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename ... on ' +
  'AddTicketMessagePayload { ticketMessage { messageId } } } }';
const mutation = (more: object) =>
  JSON.stringify({ query, variables: { input: { ticket: { ticketId: 47 }, body: 'traced', ...more } } });

/** Long enough for the worker to write down what became of a mail, milliseconds. */
const settles = 250;
let mails = 0;
/** A request with an e-mail, until it is delivered and settled. */
async function untilDelivered(send: () => Promise<void>): Promise<void> {
  mails += 1;
  await Promise.all([send(), sink.received(mails)]);
  await sleep(settles);
}
async function warmWalk(work: () => Promise<void>): Promise<Walk> {
  for (let n = 0; n < warm; n += 1) await work();
  return coverage.walk(work, counted);
}
function tell(name: string, { files, functions, calls }: Walk): void {
  out(`| ${name} | ${files.size} | ${functions} | ${calls} |`);
  if (options.functions) for (const [file, called] of files) out(`    ${file}: ${called.join(', ')}`);
}

out('\n| one warm request | files | functions | calls |\n|---|---:|---:|---:|');
for (const roles of ['web', 'web,worker']) {
  await using app = await createApp(readConfig({ ...config, ROLES: roles }));
  const json = (more: object) => () => post(`${app.url}/graphql`, 'application/json', mutation(more));
  const xml = (body: string) => () => post(`${app.url}/api/Tickets/NewMessage`, 'application/xml', body);
  if (roles === 'web') {
    const plain = samples.requestXml.replace('>true</SendVia', '>false</SendVia');
    tell('a JSON mutation, to its answer', await warmWalk(json({})));
    const old = '{"TicketREF":"INC-000047","Message":"traced"}';
    const legacy = () => post(`${app.url}/api/Tickets/NewMessage`, 'application/json', old);
    tell('the legacy door, JSON, to its answer', await warmWalk(legacy));
    tell('the legacy door, XML with a file, to its answer', await warmWalk(xml(plain)));
  } else {
    const email = { from: 'company@domain.com' };
    tell(
      'a JSON mutation with an e-mail, to the delivered mail',
      await warmWalk(() => untilDelivered(json({ email }))),
    );
    tell(
      'the legacy door, XML with an e-mail and a file, to the delivered mail',
      await warmWalk(() => untilDelivered(xml(samples.requestXml))),
    );
  }
}
