/*
 * Half an hour at 60 % of what the machine can do, behind the documented nginx, with one of two gateways
 * restarted each minute. Callers retry what a client would retry (a cut connection, 502, 503, 504, 429), with
 * the same idempotency key; watchers come back with their cursor. Prints memory, open files and connections
 * as a curve.
 *
 *   npm run test:soak:proxy [-- --minutes 30 --load 0.6]
 */
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type GatewayProcess, startGatewayProcess } from '../crash/support/gateway-process.ts';
import { createProductionDesk, type ProductionDesk } from '../crash/support/production-desk.ts';
import { freePort } from '../support/servers/free-port.ts';
import { startSinkProcess } from '../support/servers/smtp-sink-process.ts';
import { type Nginx, startNginx } from './nginx.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, load: { type: 'string', default: '0.6' } },
});
const minutes = Number(values.minutes);
const load = Number(values.load);
const callers = 24;
/**
 * Hundreds of messages a second are those of many tickets. A ticket's mails go one after another, so with a
 * few tickets the soak would measure how fast a single one can be mailed to. The number is odd, so that all
 * of them get mails, which every eighth message is.
 */
const tickets = 201;
const referenceOf = (n: number): string => `SOAK-${1 + (n % tickets)}`;
/** How long the mails that wait at the end of the load may take. */
const drainSeconds = 120;
const tell = (line: string) => process.stdout.write(`${line}\n`);
const violations = new Map<string, number>();
const violation = (what: string): void => void violations.set(what, (violations.get(what) ?? 0) + 1);

interface Client {
  readonly nginx: Nginx;
  readonly agent: Agent;
  readonly token: string;
}

async function post(client: Client, path: string, body: string, accept?: string): Promise<IncomingMessage> {
  const { nginx, agent, token } = client;
  const req = request({
    ...{ host: '127.0.0.1', port: nginx.httpsPort, path, method: 'POST', agent },
    ...{ ca: nginx.certificate, servername: 'desk.example.com' },
    headers: {
      ...{ Host: 'desk.example.com', Authorization: token, 'Content-Type': 'application/json' },
      ...(accept === undefined ? {} : { Accept: accept }),
    },
  });
  req.end(body);
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  return res;
}

const textOf = async (stream: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
};

const mutation = `mutation ($i: AddTicketMessageInput!) { addTicketMessage(input: $i) {
  ... on AddTicketMessagePayload { ticketMessage { messageId } } ... on UserError { code message } } }`;
const retried = new Set([429, 502, 503, 504]);

let acknowledged = 0;
let retries = 0;
let number = 0;

/** Sends one message until it is acknowledged. An error that a client would not retry is a violation. */
async function sayOne(client: Client): Promise<void> {
  const n = ++number;
  const legacy = n % 4 === 0;
  const ticket = referenceOf(n);
  const email = n % 8 === 1 ? { email: { from: 'company@domain.com' } } : {};
  const input = { ticket: { reference: ticket }, body: `Soak ${n}`, idempotencyKey: `soak-${n}`, ...email };
  for (let attempt = 0; attempt < 60; attempt += 1) {
    try {
      const res = legacy
        ? await post(
            client,
            '/api/Tickets/NewMessage',
            JSON.stringify({ TicketREF: ticket, Message: `Soak ${n}` }),
          )
        : await post(client, '/graphql', JSON.stringify({ query: mutation, variables: { i: input } }));
      const text = await textOf(res);
      if (res.statusCode === 200 && (legacy || text.includes('"messageId"'))) {
        acknowledged += 1;
        return;
      }
      if (!retried.has(res.statusCode!) && !/"retryable":true|UNAVAILABLE/.test(text))
        return violation(`${legacy ? 'legacy' : 'graphql'} ${res.statusCode}: ${text.slice(0, 120)}`);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!/^(ECONNRESET|ECONNREFUSED|EPIPE)$/.test(code)) violation(`connection: ${code || error}`);
    }
    retries += 1;
    await sleep(50 + Math.random() * 200);
  }
  violation('60 attempts were not enough');
}

/** One caller: a call, then as long a pause as brings it to its share of the rate. */
async function call(client: Client, until: number, everyMs: () => number): Promise<void> {
  while (performance.now() < until) {
    const began = performance.now();
    await sayOne(client);
    await sleep(Math.max(0, everyMs() - (performance.now() - began)));
  }
}

/** Watches a ticket through restarts; an event that is repeated or left out is a violation. */
async function watch(client: Client, reference: string, until: number): Promise<number> {
  let cursor: string | undefined;
  let last = 0;
  while (performance.now() < until) {
    const after = cursor === undefined ? '' : `, after: ${JSON.stringify(cursor)}`;
    const query = `subscription { ticketEvents(ticket: {reference: "${reference}"}${after}) { cursor } }`;
    try {
      const stream = await post(client, '/graphql', JSON.stringify({ query }), 'text/event-stream');
      const end = setTimeout(() => stream.destroy(), until - performance.now());
      let text = '';
      for await (const chunk of stream.setEncoding('utf8')) {
        text += chunk;
        for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
          const found = /"cursor":"([^"]+)"/.exec(text.slice(0, at));
          text = text.slice(at + 2);
          if (found === null) continue;
          if (found[1] === cursor) violation('an event came twice');
          cursor = found[1];
          last += 1;
        }
      }
      clearTimeout(end);
    } catch {
      await sleep(100);
    }
  }
  return last;
}

async function usageOf({ pid }: GatewayProcess): Promise<{ rss: number; files: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const rss = Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
  return { rss: Math.round(rss), files: (await readdir(`/proc/${pid}/fd`)).length };
}

async function main(directory: string): Promise<void> {
  await using sink = await startSinkProcess(join(directory, 'mails'));
  await using desk = await createProductionDesk(directory, sink.url);
  await desk.owner`insert into tickets (reference, subject, requester_id)
    select 'SOAK-' || n, subject, requester_id
    from tickets, generate_series(1, ${tickets}::int) n where reference = 'INC-000001'`;
  const ports = [await freePort(), await freePort()];
  const start = (at: number) =>
    startGatewayProcess({
      ...{ ...desk.env, PORT: String(ports[at]), TRUST_PROXY: '1', NODE_ENV: 'production' },
      PUBLIC_URL: 'https://desk.example.com',
    });
  const gateways = [await start(0), await start(1)];
  await using nginx = await startNginx(
    directory,
    ports.map((port) => `127.0.0.1:${port}`),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const client = { nginx, agent, token: desk.credentials.token };

  const measureMs = 10_000;
  await Promise.all(
    Array.from({ length: callers }, () => call(client, performance.now() + measureMs, () => 0)),
  );
  const capacity = acknowledged / (measureMs / 1000);
  const rate = capacity * load;
  tell(`at its fastest ${capacity.toFixed(0)} messages a second; from here on ${rate.toFixed(0)}`);
  const until = performance.now() + minutes * 60_000;
  const calling = Array.from({ length: callers }, () => call(client, until, () => (callers / rate) * 1000));
  const watching = Array.from({ length: 20 }, (_, n) => watch(client, referenceOf(n % 5), until));
  const restarts = restartEachMinute(gateways, start, until);
  await curve(desk, gateways, until);
  await Promise.all(calling);
  const seen = await Promise.all(watching);
  const exits = await restarts;
  agent.destroy();
  await compare(desk, Math.min(...seen));
  for (const gateway of gateways) exits.push(await gateway.stop());
  if (exits.some((code) => code !== 0)) violation(`exit codes ${exits.join(', ')}`);
}

/** SIGTERM, then the same again on the same port; in turns. */
async function restartEachMinute(
  gateways: GatewayProcess[],
  start: (at: number) => Promise<GatewayProcess>,
  until: number,
): Promise<(number | string)[]> {
  const exits: (number | string)[] = [];
  for (let n = 0; performance.now() + 60_000 < until; n += 1) {
    await sleep(60_000);
    exits.push(await gateways[n % 2]!.stop());
    gateways[n % 2] = await start(n % 2);
  }
  return exits;
}

async function curve(
  desk: ProductionDesk,
  gateways: readonly GatewayProcess[],
  until: number,
): Promise<void> {
  tell('minute  messages  retries  RSS MiB     files      connections  mails waiting');
  const began = performance.now();
  let before = { acknowledged, retries };
  while (performance.now() + 30_000 < until) {
    await sleep(30_000);
    const usage = await Promise.all(gateways.map((gateway) => usageOf(gateway).catch(() => undefined)));
    const [row] = await desk.owner`
      select count(*)::int as count, (${unsentMails(desk)}) as waiting
      from pg_stat_activity where usename = 'desk_gateway'`;
    const pairs = (of: 'rss' | 'files') => usage.map((each) => each?.[of] ?? '-').join(' + ');
    const minute = ((performance.now() - began) / 60_000).toFixed(1).padStart(6);
    const columns = [acknowledged - before.acknowledged, retries - before.retries].map((n) =>
      String(n).padStart(8),
    );
    tell(
      `${minute}  ${columns.join(' ')}  ${pairs('rss').padEnd(10)}  ${pairs('files').padEnd(9)}  ` +
        `${String(row!.count).padEnd(11)}  ${row!.waiting}`,
    );
    before = { acknowledged, retries };
  }
}

const unsentMails = ({ owner }: ProductionDesk) =>
  owner`select count(*)::int from deliveries where state <> 'SENT'`;

/** Waits for the mails that the load left. */
async function drain(desk: ProductionDesk): Promise<void> {
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 1000);
  const count = async () => (await unsentMails(desk))[0]!.count as number;
  const atEnd = await count();
  let left = atEnd;
  while (left > 0 && seconds() < drainSeconds) {
    await sleep(1000);
    left = await count();
  }
  tell(`mails waiting at the end of the load ${atEnd}; ${left} of them ${seconds()} s later`);
}

/** Each acknowledged message is stored once, its mails were sent once, and watchers saw every event. */
async function compare(desk: ProductionDesk, leastSeen: number): Promise<void> {
  await drain(desk);
  const { owner } = desk;
  const [row] = await owner<
    { keyed: number; bodies: number; messages: number; sent: number; mails: number }[]
  >`
    select (select count(*)::int from messages where body like 'Soak %') as messages,
      (select count(distinct body)::int from messages where body like 'Soak %') as bodies,
      (select count(*)::int from idempotency_keys where key like 'soak-%') as keyed,
      (select count(*)::int from deliveries) as mails,
      (select count(*)::int from deliveries where state = 'SENT') as sent`;
  const { messages, bodies, mails, sent } = row!;
  tell(
    `acknowledged ${acknowledged}, different bodies ${bodies}, rows ${messages}; mails ${mails}, sent ` +
      `${sent}`,
  );
  tell(`retries ${retries}; the watcher who saw least saw ${leastSeen} events`);
  if (bodies < acknowledged) violation('something acknowledged is not there');
  if (sent !== mails) violation('a mail is not settled as sent');
}

const directory = await mkdtemp(join(tmpdir(), 'ticketwire-soak-'));
await chmod(directory, 0o711);
try {
  await main(directory);
} finally {
  await rm(directory, { recursive: true, force: true });
}
for (const [what, count] of violations) tell(`BAD  ${count} × ${what}`);
tell(violations.size === 0 ? 'no violation' : `${violations.size} kinds of violations`);
process.exit(violations.size === 0 ? 0 : 1);
