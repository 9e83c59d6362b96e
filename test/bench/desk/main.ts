/*
 * npm run bench:desk [-- --scale 0.1] [--rounds N] [--json FILE] [--dir DIRECTORY]
 *
 * What each read costs on a large desk, beside the same read on a small one: 300,000 tickets, 2,500,000
 * messages, one ticket with 100,000 of them and one requester with 50,010 tickets. Blocks and statements are
 * counted by pg_stat_statements; they are exact, where a busy machine's milliseconds are not.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drizzle } from 'drizzle-orm/postgres-js';
import type postgres from 'postgres';
import { createToken } from '../../../src/auth/tokens.ts';
import { Connection, postRequest } from '../support/http-client.ts';
import { type Running, startAll } from '../support/servers.ts';
import { createWorld, defaultDirectory, type World } from '../world.ts';
import { grow, largeRequester, smallDesk, usualRequester } from './grow.ts';
import { type Read, reads, type Who } from './reads.ts';

const { values: options } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    dir: { type: 'string', default: defaultDirectory },
  },
});
const rounds = Number(options.rounds);
const say = (text: string) => void process.stdout.write(`${text}\n`);

/** What the statements of one read took, on the average. */
interface Work {
  readonly statements: number;
  readonly blocks: number;
}
interface Measured extends Work {
  readonly p50: number;
}
interface Desk {
  readonly running: Running;
  readonly sql: postgres.Sql;
  readonly tokens: Readonly<Record<Who, string>>;
}

async function main(): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const world = parts.use(
    await createWorld(options.dir, {
      shared_buffers: '128MB',
      maintenance_work_mem: '1GB',
      shared_preload_libraries: 'pg_stat_statements',
    }),
  );
  const contenders = (['small', 'large'] as const).map((name) => ({
    ...({ name, process: name, program: 'src/main.ts', dialect: 'ours', isGateway: true } as const),
    sql: `create extension pg_stat_statements; ${smallDesk}`,
  }));
  const running = await startAll(world, contenders, join(options.dir, 'gateway'));
  for (const one of running) parts.use(one);
  const started = performance.now();
  await makeLarge(world, running[1]!.database);
  say(`${cpus()[0]?.model}; seeded in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  const desks = await Promise.all(running.map((one) => deskOf(world, one)));
  for (const { sql } of desks) parts.defer(() => sql.end());
  const table = [];
  for (const read of reads.filter(({ name }) => name.includes(options.only)))
    for (const who of read.by ?? everybody) table.push(await row(read, who, desks));
  say(table.map(({ line }) => line).join('\n'));
  if (options.json) writeFileSync(options.json, `${JSON.stringify(table, null, 2)}\n`);
}

const everybody: readonly Who[] = ['operator', 'usual requester', 'large requester'];

async function makeLarge(world: World, database: string): Promise<void> {
  const sql = world.connect(database);
  // A word index is filled much faster at once than row by row.
  const indexes = await sql<{ name: string; definition: string }[]>`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
    from pg_index join pg_class c on c.oid = indexrelid join pg_am a on a.oid = c.relam
    where a.amname = 'gin' and c.relnamespace = 'public'::regnamespace`;
  for (const { name } of indexes) await sql.unsafe(`drop index ${name}`);
  for (const statement of grow(Number(options.scale))) await sql.unsafe(statement);
  for (const { definition } of indexes) await sql.unsafe(definition);
  await sql.unsafe('vacuum analyze');
  await sql.unsafe('checkpoint');
  await sql.end();
}

async function deskOf(world: World, running: Running): Promise<Desk> {
  const sql = world.connect(running.database);
  const db = drizzle(world.connect(running.database));
  const token = async (userId: number) =>
    (await createToken(db, { userId, name: 'desk', scopes: ['read'] })).token;
  const tokens = {
    operator: await token(1),
    'usual requester': await token(usualRequester),
    'large requester': await token(largeRequester),
  };
  await db.$client.end();
  return { running, sql, tokens };
}

async function row(read: Read, who: Who, desks: readonly Desk[]) {
  const [small, large] = await measure(read, who, desks);
  const ratio = large!.p50 / small!.p50;
  const cells = [
    read.name.padEnd(48),
    who.padEnd(16),
    `${small!.p50.toFixed(1)} ms`.padStart(9),
    `${large!.p50.toFixed(1)} ms`.padStart(9),
    ratio.toFixed(2).padStart(6),
    `${small!.statements} / ${large!.statements}`.padStart(9),
    `${small!.blocks.toFixed(0)} / ${large!.blocks.toFixed(0)}`.padStart(15),
  ];
  const why = ratio > 1.5 && read.grows !== undefined ? `  ${read.grows}` : '';
  return { read: read.name, who, small, large, ratio, line: cells.join(' ') + why };
}

/** Both desks in turns, so that what else the machine does falls on both. */
async function measure(read: Read, who: Who, desks: readonly Desk[]): Promise<Measured[]> {
  const places = await Promise.all(
    desks.map(async (desk) => {
      const connection = new Connection(desk.running.port);
      const ask = (query: string, variables: object = {}) =>
        postRequest(
          '/graphql',
          { authorization: `Bearer ${desk.tokens[who]}` },
          JSON.stringify({ query, variables }),
        );
      let { variables } = read;
      if (read.after !== undefined) {
        const { body } = await connection.send(ask(read.after.query));
        variables = read.after.variables(JSON.parse(body.toString()).data as never);
      }
      const request = ask(read.query, variables);
      // All connections of the pool prepare the statements, and the credential is known.
      await Promise.all(Array.from({ length: 12 }, () => askOnce(desk.running.port, request)));
      await desk.sql`select pg_stat_statements_reset()`;
      return { desk, connection, request, times: [] as number[] };
    }),
  );
  for (let round = 0; round < rounds; round++)
    for (const { connection, request, times } of places) {
      const started = performance.now();
      const { body } = await connection.send(request);
      times.push(performance.now() - started);
      if (body.includes('"errors"')) throw new Error(`${read.name}, ${who}: ${body.subarray(0, 500)}`);
    }
  return Promise.all(
    places.map(async ({ desk, connection, times }) => {
      connection.close();
      times.sort((a, b) => a - b);
      return { p50: times[times.length >> 1]!, ...(await workOf(desk.sql)) };
    }),
  );
}

async function askOnce(port: number, request: string): Promise<void> {
  const connection = new Connection(port);
  await connection.send(request);
  connection.close();
}

/** What the gateway asked for since the last reset, without transactions' own statements. */
async function workOf(sql: postgres.Sql): Promise<Work> {
  const [found] = await sql<{ statements: number; blocks: number }[]>`
    select coalesce(sum(calls), 0)::float8 as statements,
      coalesce(sum(shared_blks_hit + shared_blks_read), 0)::float8 as blocks
    from pg_stat_statements join pg_roles r on r.oid = userid
    where dbid = (select oid from pg_database where datname = current_database())
      and query !~* '^(begin|commit|select set_config|.*api_tokens)' and rolname = 'ticketwire_app'`;
  return { statements: Math.round(found!.statements / rounds), blocks: found!.blocks / rounds };
}

await main();
