/*
 * npm run bench:fanout [-- --clients 300,2000,10000,10000/1000] [--events 20] [--rounds 6]
 *
 * Streams of events on one ticket, or on several (10000/1000: 10,000 readers on 1,000 tickets), read by
 * another process, against a bare `res.write` loop of the same bytes in a process of its own. In each round
 * both have their turn, and ratios are taken within a round. It fails when a reader gets an event twice, not
 * at all or out of order.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { drizzle } from 'drizzle-orm/postgres-js';
import { createToken } from '../../../src/auth/tokens.ts';
import type { Connection as Database } from '../../../src/db/database.ts';
import { startGatewayProcess } from '../../crash/support/gateway-process.ts';
import { countStatements } from '../../graphql/statement-counter.ts';
import { openStream } from '../../support/event-stream.ts';
import { cpuOf } from '../support/cpu.ts';
import { Connection, postRequest } from '../support/http-client.ts';
import { readTickets } from '../support/seed.ts';
import { createWorld, defaultDirectory, type World } from '../world.ts';
import type { Order, Report } from './clients.ts';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '300,2000,10000,10000/1000' },
    events: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '6' },
  },
});
const [events, rounds] = [Number(values.events), Number(values.rounds)];
const say = (text: string) => void process.stdout.write(`${text}\n`);
const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

/** The watched tickets begin here: those before it are closed. */
const firstTicket = readTickets + 1;
/** Connections by which messages are added to several tickets. */
const writers = 32;
const watch = `subscription ($ticket: Int!, $after: String) {
  ticketEvents(ticket: { ticketId: $ticket }, after: $after) {
  cursor type at actor { name } ticketMessage { messageId bodyText } } }`;
const addMessage = (n: number, ticket: number) => `mutation {
  addTicketMessage(input: { ticket: { ticketId: ${ticket} }, body: "no ${n}." }) {
  ... on AddTicketMessagePayload { cursor } ... on UserError { message } } }`;

/** Kibibytes of memory that a process has now. */
const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]);

class Clients {
  readonly #process: ChildProcess = fork(new URL('clients.ts', import.meta.url));
  async order(order: Order): Promise<Report> {
    const report = this.report();
    this.#process.send(order);
    return report;
  }
  /** Is not answered before all have their events. */
  expect(events: number): void {
    this.#process.send({ kind: 'expect', events } satisfies Order);
  }
  async report(): Promise<Report> {
    const [report] = (await once(this.#process, 'message')) as [Report];
    return report;
  }
  end(): void {
    this.#process.kill();
  }
}

interface Size {
  readonly count: number;
  readonly tickets: number;
  /** How many of each ticket. */
  readonly events: number;
}

/** Each event of a thousand tickets is a thousand commits: there are fewer of them. */
function sizeOf(text: string): Size {
  const [count = 0, tickets = 1] = text.split('/').map(Number);
  return { count, tickets, events: tickets === 1 ? events : Math.min(events, 3) };
}

/** What delivers events to its readers. */
interface Contender {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly requests: (size: Size) => Promise<string[]>;
  readonly deliver: (size: Size) => Promise<void>;
}

/** So many streams of one credential, as the gateway allows by default. */
const streamsOfToken = 100;

async function createTokens(world: World, database: string, count: number): Promise<string[]> {
  const client = world.connect(database);
  const db = drizzle(client);
  const tokens = [];
  for (let n = 0; n < count; n += 1)
    tokens.push((await createToken(db, { userId: 1, name: `${n}`, scopes: ['read', 'write'] })).token);
  await client.end();
  return tokens;
}

async function startGateway(world: World, parts: AsyncDisposableStack, clients: number) {
  const database = 'bench_fanout';
  const env = await world.createDatabase(database, '');
  const path = `${env.PGHOST}`;
  const counter = parts.use(
    await countStatements({
      path: `${path}/.s.PGSQL.${env.PGPORT}`,
      port: Number(env.PGPORT),
      user: env.PGUSER,
      database,
    } as Database),
  );
  const { port: counted } = counter.connection as { port: number };
  const gateway = parts.use(
    await startGatewayProcess({
      DATABASE_URL: `postgres://${env.PGUSER}@127.0.0.1:${counted}/${database}`,
      ...env,
      ROLES: 'web',
      DATA_DIR: join(defaultDirectory, 'gateway'),
      MAX_SUBSCRIPTIONS: '100000',
    }),
  );
  const port = Number(new URL(gateway.url).port);
  const tokens = await createTokens(world, database, Math.ceil(clients / streamsOfToken));
  const connections = Array.from({ length: writers }, () => new Connection(port));
  parts.defer(() => connections.forEach((one) => void one.close()));
  const authorization = `Bearer ${tokens[0]}`;
  const add = async (n: number, ticket = firstTicket, writer = connections[0]!) => {
    const query = JSON.stringify({ query: addMessage(n, ticket) });
    const { body } = await writer.send(postRequest('/graphql', { authorization }, query));
    const { cursor } = JSON.parse(body.toString()).data.addTicketMessage;
    if (cursor === undefined) throw new Error(`adding a message failed: ${body}`);
    return cursor as string;
  };
  /** Adds a message to each ticket. @returns the cursors */
  const addToAll = async (n: number, tickets: number): Promise<string[]> => {
    const cursors: string[] = [];
    const addEach = async (writer: Connection, at: number) => {
      for (let t = at; t < tickets; t += writers) cursors[t] = await add(n, firstTicket + t, writer);
    };
    await Promise.all(connections.map(addEach));
    return cursors;
  };
  const contender: Contender = {
    name: 'gateway',
    pid: gateway.pid,
    port,
    async requests({ count, tickets }) {
      const cursors = await addToAll(0, tickets);
      return Array.from({ length: Math.max(tokens.length, Math.min(count, tickets)) }, (_, n) => {
        const variables = { ticket: firstTicket + (n % tickets), after: cursors[n % tickets] };
        const headers = {
          authorization: `Bearer ${tokens[n % tokens.length]}`,
          accept: 'text/event-stream',
        };
        return postRequest('/graphql', headers, JSON.stringify({ query: watch, variables }));
      });
    },
    async deliver({ tickets, events: each }) {
      for (let n = 0; n < each; n += 1) await addToAll(n, tickets);
    },
  };
  return { contender, counter, add, url: gateway.url, authorization };
}

type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** The bytes of one event as the gateway writes them, with `#` where its number is. */
async function sampleOf({ url, authorization, add }: Gateway): Promise<string> {
  const after = await add(0);
  const stream = await openStream(
    url,
    { query: watch, variables: { ticket: firstTicket, after } },
    { authorization },
  );
  await add(1);
  const { id, data } = (await stream.next())!;
  stream.leave();
  return `event: next\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`.replace('no 1.', 'no #.');
}

async function startBare(parts: AsyncDisposableStack, text: string): Promise<Contender> {
  const server = fork(new URL('bare.ts', import.meta.url));
  parts.defer(() => void server.kill());
  const [{ port }] = (await once(server, 'message')) as [{ port: number }];
  return {
    name: 'bare',
    pid: server.pid!,
    port,
    requests: async () => [postRequest('/', {}, '{}')],
    deliver: async (size) => void server.send({ text, times: size.events }),
  };
}

interface Measured {
  readonly perSecond: number;
  /** Microseconds of the server's CPU for one delivery. */
  readonly cpu: number;
}

async function measure(one: Contender, clients: Clients, size: Size): Promise<Measured> {
  const { count, events: each } = size;
  clients.expect(each);
  await sleep(50);
  const [began, cpu] = [performance.now(), cpuOf(one.pid)];
  const report = clients.report();
  await one.deliver(size);
  const { wrong } = await report;
  if (wrong > 0) throw new Error(`${one.name}: ${wrong} of ${count} readers got the wrong events`);
  const deliveries = count * each;
  return {
    perSecond: (deliveries / (performance.now() - began)) * 1000,
    cpu: ((cpuOf(one.pid) - cpu) * 1000) / deliveries,
  };
}

async function compare(size: Size, both: readonly Contender[], { counter }: Gateway): Promise<void> {
  const { count, tickets } = size;
  const opened = [];
  for (const one of both) {
    const clients = new Clients();
    const before = memoryOf(one.pid);
    await clients.order({ kind: 'open', port: one.port, requests: await one.requests(size), count });
    opened.push({ one, clients, before, found: [] as Measured[] });
  }
  let statements = Number.NaN;
  for (let round = 0; round <= rounds; round += 1) {
    for (const { one, clients, found } of round % 2 === 0 ? opened : opened.toReversed()) {
      const before = counter.executed;
      const measured = await measure(one, clients, size);
      if (one.name === 'gateway') statements = (counter.executed - before) / (size.events * tickets);
      if (round > 0) found.push(measured);
    }
  }
  for (const { one, clients, before, found } of opened) {
    const memory = (memoryOf(one.pid) - before) / count;
    const [perSecond, cpu] = [median(found.map((f) => f.perSecond)), median(found.map((f) => f.cpu))];
    say(
      `${one.name.padEnd(8)} ${count} readers on ${tickets}: ${perSecond.toFixed(0)} deliveries a second, ` +
        `${cpu.toFixed(1)} µs of CPU each, ${memory.toFixed(1)} KiB a connection`,
    );
    await clients.order({ kind: 'close' });
    clients.end();
  }
  const [gateway, bare] = opened.map(({ found }) => found) as [Measured[], Measured[]];
  const ratio = (of: keyof Measured) => median(gateway.map((g, n) => g[of] / bare[n]![of])).toFixed(2);
  say(
    `         ${ratio('perSecond')} × the deliveries a second, ${ratio('cpu')} × the CPU; ` +
      `${statements.toFixed(1)} statements for an event and its message, none lost or repeated`,
  );
}

async function main(): Promise<void> {
  const sizes = ['200', ...values.clients.split(',')].map(sizeOf);
  await using parts = new AsyncDisposableStack();
  const world = parts.use(await createWorld(defaultDirectory));
  const gateway = await startGateway(world, parts, Math.max(...sizes.map(({ count }) => count)));
  const bare = await startBare(parts, await sampleOf(gateway));
  // Compilers and the heap of both are warm before memory is counted.
  for (const size of sizes) await compare(size, [gateway.contender, bare], gateway);
}

await main();
process.exit(0);
