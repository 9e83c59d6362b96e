import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { createToken } from '../../../src/auth/tokens.ts';
import type { Connection as Database } from '../../../src/db/database.ts';
import { startGatewayProcess } from '../../crash/support/gateway-process.ts';
import { countStatements, type StatementCounter } from '../../graphql/statement-counter.ts';
import { openStream } from '../../support/event-stream.ts';
import { Connection, postRequest } from '../support/http-client.ts';
import { readTickets } from '../support/seed.ts';
import { defaultDirectory, type World } from '../world.ts';
import type { Contender } from './contender.ts';
import { createGroupWriter } from './group-writer.ts';

/** The watched tickets begin here: those before it are closed. */
const firstTicket = readTickets + 1;
/** So many add messages to several tickets at the same time. */
const callers = 32;
/** So many streams of one credential, as the gateway allows by default. */
const streamsOfToken = 100;

const watch = `subscription ($ticket: Int!, $after: String) {
  ticketEvents(ticket: { ticketId: $ticket }, after: $after) {
  cursor type at actor { name } ticketMessage { messageId bodyText } } }`;
const addMessage = `mutation ($ticket: Int!, $body: String!) {
  addTicketMessage(input: { ticket: { ticketId: $ticket }, body: $body }) {
  ... on AddTicketMessagePayload { cursor } ... on UserError { message } } }`;

/** The gateway, and the statements that it executes. */
export interface Gateway {
  readonly contender: Contender;
  readonly counter: StatementCounter;
  /** The last lines of its log. */
  readonly output: readonly string[];
  /** The bytes of one event as it writes them, with `#` where its number is. */
  readonly sample: string;
}

async function startProcess(world: World, parts: AsyncDisposableStack) {
  const database = 'bench_fanout';
  const env = await world.createDatabase(database, '');
  const path = `${env.PGHOST}/.s.PGSQL.${env.PGPORT}`;
  const direct = { path, port: Number(env.PGPORT), user: env.PGUSER, database } as Database;
  const counter = parts.use(await countStatements(direct));
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
  return { database, direct, counter, url: gateway.url, pid: gateway.pid, output: gateway.output };
}

async function createTokens(world: World, database: string, count: number): Promise<string[]> {
  const client = world.connect(database);
  const db = drizzle(client);
  const tokens = [];
  for (let n = 0; n < count; n += 1)
    tokens.push((await createToken(db, { userId: 1, name: `${n}`, scopes: ['read', 'write'] })).token);
  await client.end();
  return tokens;
}

/** Adds the message `n` to each of several tickets, from `firstTicket` on. @returns the cursors */
type AddToAll = (n: number, tickets: number) => Promise<string[]>;

function createCallers(port: number, authorization: string): AddToAll {
  async function add(n: number, ticket: number, caller: Connection): Promise<string> {
    const request = JSON.stringify({ query: addMessage, variables: { ticket, body: `no ${n}.` } });
    const { body } = await caller.send(postRequest('/graphql', { authorization }, request));
    const { cursor } = JSON.parse(body.toString()).data.addTicketMessage;
    if (cursor === undefined) throw new Error(`adding a message failed: ${body}`);
    return cursor as string;
  }
  return async (n, tickets) => {
    const cursors: string[] = [];
    const addEach = async (at: number) => {
      // The gateway closes connections that were idle while the readers connected.
      const caller = new Connection(port);
      for (let t = at; t < tickets; t += callers) cursors[t] = await add(n, firstTicket + t, caller);
      caller.close();
    };
    await Promise.all(Array.from({ length: Math.min(callers, tickets) }, (_, at) => addEach(at)));
    return cursors;
  };
}

async function sampleOf(url: string, authorization: string, add: AddToAll): Promise<string> {
  const variables = { ticket: firstTicket, after: (await add(0, 1))[0] };
  const stream = await openStream(url, { query: watch, variables }, { authorization });
  await add(1, 1);
  const { id, data } = (await stream.next())!;
  stream.leave();
  return `event: next\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`.replace('no 1.', 'no #.');
}

/** Starts the gateway. @param clients how many will watch at most */
export async function startGateway(
  world: World,
  parts: AsyncDisposableStack,
  clients: number,
): Promise<Gateway> {
  const { database, direct, counter, url, pid, output } = await startProcess(world, parts);
  const port = Number(new URL(url).port);
  const tokens = await createTokens(world, database, Math.ceil(clients / streamsOfToken));
  const authorizations = tokens.map((token) => `Bearer ${token}`);
  const addToAll = createCallers(port, authorizations[0]!);
  const addInGroups = createGroupWriter(parts, direct, firstTicket);
  const contender: Contender = {
    name: 'gateway',
    pid,
    port,
    async requests({ count, tickets }) {
      const cursors = await addToAll(0, tickets);
      return Array.from({ length: Math.max(tokens.length, Math.min(count, tickets)) }, (_, n) => {
        const variables = { ticket: firstTicket + (n % tickets), after: cursors[n % tickets] };
        const authorization = authorizations[n % tokens.length]!;
        const headers = { authorization, accept: 'text/event-stream' };
        return postRequest('/graphql', headers, JSON.stringify({ query: watch, variables }));
      });
    },
    async deliver({ tickets, events }, writer) {
      const add = writer === 'callers' ? addToAll : addInGroups;
      for (let n = 0; n < events; n += 1) await add(n, tickets);
    },
  };
  return { contender, counter, output, sample: await sampleOf(url, authorizations[0]!, addToAll) };
}
