/*
 * The gateway as production runs it: a PostgreSQL of somebody else's, an operator made by the command line, a mail server, and two
 * processes side by side, one of which is told to end while it works.
 *
 *   node test/crash/gateway/external.ts [--bin /usr/lib/postgresql/15/bin] [--messages 300]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { readJournal, startSinkProcess } from '../../support/smtp-sink-process.ts';
import { mailbox, say } from '../support/calls.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { drain, type Sender, sendMany } from './draining.ts';

const { values } = parseArgs({ options: { bin: { type: 'string' }, messages: { type: 'string' } } });
const total = Number(values.messages ?? 300);
const tell = (line: string) => process.stdout.write(`${line}\n`);
const violations: string[] = [];
const check = (what: string, is: unknown, expected: unknown) => {
  const good = JSON.stringify(is) === JSON.stringify(expected);
  tell(
    `${good ? 'ok  ' : 'BAD '} ${what}: ${JSON.stringify(is)}${good ? '' : ` instead of ${JSON.stringify(expected)}`}`,
  );
  if (!good) violations.push(what);
};

/** Runs one command as an administrator types it; what it asks for comes from standard input. */
async function cli(env: Record<string, string>, args: string[], input = ''): Promise<string> {
  const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(input);
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`ticketwire ${args.join(' ')} ended with ${code}: ${output}`);
  return output;
}

/** Owner and gateway apart, as a careful administrator has them: the gateway's login owns nothing and may become one role. */
async function createDatabase(server: Awaited<ReturnType<typeof startPostgres>>) {
  const admin = postgres(server.url, { max: 1, onnotice: () => {} });
  await admin`create role desk_owner login createrole password 'owner-password'`;
  await admin`create database desk owner desk_owner`;
  await admin`create role desk_gateway login password 'gateway-password'`;
  await admin.end();
  const ownerUrl = server.urlOf('desk_owner', 'owner-password', 'desk');
  // The first command migrates, as the owner; only then there is a role to be a member of.
  await cli({ DATABASE_URL: ownerUrl }, ['user', 'list']);
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  await owner`grant ticketwire_app to desk_gateway`;
  return { owner, ownerUrl, gatewayUrl: server.urlOf('desk_gateway', 'gateway-password', 'desk') };
}

async function makeDesk(env: Record<string, string>): Promise<{ password: string; token: string }> {
  await cli(
    env,
    ['user', 'add', 'olga', '--name', 'Olga Operator', '--role', 'operator'],
    'correct horse battery\n',
  );
  await cli(env, [
    'user',
    'add',
    'jane',
    '--name',
    'Jane Doe',
    '--role',
    'requester',
    '--email',
    'jane.doe@domain.com',
    '--no-password',
  ]);
  await cli(env, ['mailbox', 'add', mailbox, '--name', 'Company', '--operator', 'olga']);
  for (let n = 1; n <= 5; n += 1)
    await cli(env, ['ticket', 'add', '--subject', `Printer ${n}`, '--requester', 'jane']);
  const scopes = ['--scope', 'read,write,mail'];
  const made = JSON.parse(await cli(env, ['token', 'add', 'olga', '--name', 'script', ...scopes, '--json']));
  return {
    password: `Basic ${Buffer.from('olga:correct horse battery').toString('base64')}`,
    token: `Bearer ${made.token}`,
  };
}

async function main(directory: string): Promise<void> {
  await using server = await startPostgres(directory, values.bin);
  tell(`PostgreSQL ${server.version}, over TCP with passwords`);
  const { owner, ownerUrl, gatewayUrl } = await createDatabase(server);
  const journal = join(directory, 'mails');
  await using sink = await startSinkProcess(journal);
  sink.setFaults([{ at: 'REPLY', delayMs: 20 }]);
  const env = {
    DATABASE_URL: gatewayUrl,
    DATABASE_OWNER_URL: ownerUrl,
    SMTP_URL: sink.url,
    BLOBS_URL: pathToFileURL(join(directory, 'blobs')).href,
    DATA_DIR: join(directory, 'data'),
  };
  const credentials = await makeDesk(env);
  const [one, other] = await Promise.all([startGatewayProcess(env), startGatewayProcess(env)]);
  await using processes = new AsyncDisposableStack();
  for (const each of [one, other]) processes.use(each);

  for (const { url } of [one, other]) check('ready', (await fetch(`${url}/health/ready`)).status, 200);
  const demo = { authorization: `Basic ${Buffer.from('operator:operator').toString('base64')}` };
  const stranger = await say(one.url, 'legacy', { ticket: 'INC-000001', body: 'Hello' }, demo);
  check('the demo accounts do not exist', stranger, { kind: 'refused', code: '401' });

  const sender: Sender = { credentials: Object.values(credentials), total, urls: [one.url, other.url] };
  const first = sendMany(sender, 'first');
  const drained = await drain(one, first, credentials.token);
  check('calls in flight at SIGTERM that were not answered', drained.unanswered, 0);
  check('an upload that was half sent at SIGTERM', drained.upload, 'added');
  check('exit code after SIGTERM', drained.exitCode, 0);
  if (drained.exitCode !== 0) tell(one.output.join('\n'));
  tell(
    `     ${drained.inFlight} calls were in flight at SIGTERM; the process ended after ${drained.milliseconds} ms`,
  );
  const sent = await first.rest;

  const settled = async () => {
    const [row] = await owner`select count(*)::int as count from deliveries where state <> 'SENT'`;
    return row!.count === 0;
  };
  for (const deadline = Date.now() + 30_000; !(await settled()) && Date.now() < deadline; )
    await new Promise((resolve) => setTimeout(resolve, 100));
  const refused = sent.filter(({ kind }) => kind !== 'added');
  check('calls that were not done', refused, []);
  const [rows] = await owner`
    select (select count(*)::int from messages where body like 'first %') as messages,
      (select count(distinct body)::int from messages where body like 'first %') as bodies,
      (select count(*)::int from deliveries where state = 'SENT') as sent, (select count(*)::int from deliveries) as deliveries,
      (select count(distinct split_part(worker, ':', 2))::int from delivery_attempts) as workers`;
  check('messages, bodies, mails sent, mails, processes that sent', Object.values(rows!), [
    total,
    total,
    total,
    total,
    2,
  ]);
  const received = readJournal(journal).map(({ messageId }) => messageId);
  check(
    'mails at the mail server, and different ones',
    [received.length, new Set(received).size],
    [total, total],
  );
  const ids = await owner<{ id: string }[]>`select rfc_message_id as id from deliveries`;
  check('mails of ours among them', ids.filter(({ id }) => received.includes(id)).length, total);
  check('exit code of the other after SIGTERM', await other.stop(), 0);
  await owner.end();
}

const directory = await mkdtemp(join(tmpdir(), 'ticketwire-external-'));
await chmod(directory, 0o711);
try {
  await main(directory);
} finally {
  await rm(directory, { recursive: true, force: true });
}
tell(violations.length === 0 ? 'no violation' : `${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
