/*
 * The gateway as in production: an external PostgreSQL, an operator created by the command line, a mail
 * server, and two processes, one of which is ended while it works.
 *
 * node test/crash/gateway/external.ts [--bin /usr/lib/postgresql/15/bin] [--messages 300]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readJournal, startSinkProcess } from '../../support/servers/smtp-sink-process.ts';
import { say } from '../support/calls.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { createProductionDesk } from '../support/production-desk.ts';
import { check, runInFolder, tell } from '../support/verdict.ts';
import { drain, type Sender, sendMany } from './draining.ts';

const { values } = parseArgs({ options: { bin: { type: 'string' }, messages: { type: 'string' } } });
const total = Number(values.messages ?? 300);

async function main(directory: string): Promise<void> {
  const journal = join(directory, 'mails');
  await using sink = await startSinkProcess(journal);
  sink.setFaults([{ at: 'REPLY', delayMs: 20 }]);
  await using desk = await createProductionDesk(directory, sink.url, values.bin);
  const { owner, env, credentials } = desk;
  tell(`PostgreSQL ${desk.server.version}, over TCP with passwords`);
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
    `     ${drained.inFlight} calls were in flight at SIGTERM; the process ended after ` +
      `${drained.milliseconds} ms`,
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
      (select count(*)::int from deliveries where state = 'SENT') as sent, (select count(*)::int
      from deliveries) as deliveries,
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
}

await runInFolder('external', main);
