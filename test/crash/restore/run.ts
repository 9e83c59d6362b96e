/*
 * Backup and restore by the commands of docs/OPERATIONS.md, while mail is under way: rows, files, and nothing
 * sent twice. Needs Debian's PostgreSQL, whose server and pg_dump are of one version.
 *
 *   npm run test:restore [-- --bin /usr/lib/postgresql/15/bin --messages 200]
 */
import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import postgres from 'postgres';
import { readJournal, startSinkProcess } from '../../support/servers/smtp-sink-process.ts';
import { mailbox, say } from '../support/calls.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { cli, createProductionDesk, type ProductionDesk } from '../support/production-desk.ts';
import { check, runInFolder, tell, violations } from '../support/verdict.ts';

const { values } = parseArgs({
  options: {
    bin: { type: 'string', default: '/usr/lib/postgresql/15/bin' },
    messages: { type: 'string', default: '200' },
  },
});
const total = Number(values.messages);
const run = promisify(execFile);

interface Counts {
  readonly messages: number;
  readonly attachments: number;
  readonly waiting: number;
  readonly sent: number;
  readonly unknown: number;
}

async function countsOf(owner: postgres.Sql): Promise<Counts> {
  const [row] = await owner<Counts[]>`
    select (select count(*)::int from messages) as messages, (select count(*)::int
    from attachments) as attachments,
      count(*) filter (where state in ('QUEUED', 'DEFERRED', 'HELD', 'TRANSMITTING'))::int as waiting,
      count(*) filter (where state = 'SENT')::int as sent,
      count(*) filter (where state = 'OUTCOME_UNKNOWN')::int as unknown
    from deliveries`;
  return row!;
}

/**
 * Messages with a file and a mail each; some of the mails are slow, so that there is always one on its way.
 */
async function write(url: string, desk: ProductionDesk): Promise<void> {
  for (let n = 0; n < total; n += 1) {
    const files = [{ name: `report-${n}.txt`, type: 'text/plain', bytes: Buffer.from(`report ${n}`) }];
    const ticket = `INC-00000${1 + (n % 5)}`;
    const said = { ticket, body: `Restored ${n}`, email: {}, files };
    const answer = await say(url, 'graphql', said, { authorization: desk.credentials.token });
    if (answer.kind !== 'added') violations.push(`message ${n}: ${JSON.stringify(answer)}`);
  }
}

/** `pg_dump`, then the files: while messages are written and mails are sent. */
async function backUp(desk: ProductionDesk, directory: string): Promise<void> {
  const dump = ['--format=custom', `--file=${join(directory, 'desk.dump')}`, desk.env.DATABASE_OWNER_URL!];
  await run(join(values.bin, 'pg_dump'), dump);
  await cp(join(directory, 'blobs'), join(directory, 'restored-blobs'), { recursive: true });
}

/** Into a database of the same server: a dump is as much a copy there as anywhere. */
async function restore(desk: ProductionDesk, directory: string, name: string) {
  const admin = postgres(desk.server.url, { max: 1, onnotice: () => {} });
  await admin`create database ${admin(name)} owner desk_owner`;
  await admin.end();
  const urlOf = (user: string) => desk.server.urlOf(`desk_${user}`, `${user}-password`, name);
  const ownerUrl = urlOf('owner');
  const into = [`--dbname=${ownerUrl}`, '--no-owner', join(directory, 'desk.dump')];
  await run(join(values.bin, 'pg_restore'), into);
  const blobs = join(directory, name);
  await cp(join(directory, 'restored-blobs'), blobs, { recursive: true });
  const env = {
    ...desk.env,
    DATABASE_URL: urlOf('gateway'),
    DATABASE_OWNER_URL: ownerUrl,
    BLOBS_URL: pathToFileURL(blobs).href,
  };
  return { env, owner: postgres(ownerUrl, { max: 1, onnotice: () => {} }) };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await holds()) return;
    await sleep(100);
  }
  violations.push(`${what}: never`);
}

async function main(directory: string): Promise<void> {
  const journal = join(directory, 'mails');
  await using sink = await startSinkProcess(journal);
  sink.setFaults([{ at: 'REPLY', delayMs: 100 }]);
  await using desk = await createProductionDesk(directory, sink.url, values.bin);
  const sentOf = () => readJournal(journal).map(({ messageId }) => messageId);
  {
    await using gateway = await startGatewayProcess(desk.env);
    const writing = write(gateway.url, desk);
    await until('mail under way', async () => (await countsOf(desk.owner)).sent > total / 10);
    await backUp(desk, directory);
    await writing;
    await until('all sent', async () => (await countsOf(desk.owner)).waiting === 0);
    await gateway.stop();
  }
  const original = await countsOf(desk.owner);
  check(
    'the desk that went on: messages, files, mails',
    [original.messages, original.attachments, original.sent],
    [total, total, total],
  );
  check('mails at the server', [sentOf().length, new Set(sentOf()).size], [total, total]);

  const { env, owner } = await restore(desk, directory, 'restored');
  const before = await countsOf(owner);
  tell(`     in the backup: ${JSON.stringify(before)}`);
  if (before.waiting === 0) violations.push('no mail was under way when the backup was made');
  check('rows of files', before.attachments, before.messages);
  const verified = JSON.parse(await cli(env, ['blobs', 'verify', '--json']));
  check('files that are damaged or missing', verified.damaged.length, 0);
  await cli(env, ['blobs', 'adopt']);
  {
    await using gateway = await startGatewayProcess({ ...env, LOG_LEVEL: 'info' });
    await until('the worker says why it sends nothing', async () =>
      gateway.output.some((line) => line.includes('no mail is sent')),
    );
    const said = await say(
      gateway.url,
      'graphql',
      { ticket: 'INC-000001', body: 'After' },
      { authorization: desk.credentials.token },
    );
    check('a message while mails are held', said.kind, 'added');
    const shown = JSON.parse(await cli(env, ['outbox', 'show', '--json']));
    check('outbox show', [shown.sends, shown.restored], [false, true]);
    check('mails sent by the restored desk', sentOf().length, total);
    await cli(env, ['outbox', 'release', '--doubt']);
    const after = { ticket: 'INC-000001', body: 'A mail of its own', email: {} };
    await say(gateway.url, 'graphql', after, { authorization: desk.credentials.token });
    await until('its own mail is sent', async () => sentOf().length > total);
    await gateway.stop();
  }
  const released = await countsOf(owner);
  check(
    'what waited has an unknown outcome, and nothing waits',
    [released.unknown, released.waiting],
    [before.waiting, 0],
  );
  check(
    'mails at the server, and different ones',
    [sentOf().length, new Set(sentOf()).size],
    [total + 1, total + 1],
  );
  await owner.end();
  tell(`     from ${mailbox}; its mails: ${sentOf().length}`);
}

await runInFolder('restore', main);
