import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { seedDemoDesk } from '../../src/dev/demo/seed-desk.ts';
import { startGatewayProcess } from '../crash/support/gateway-process.ts';
import { openTcpDoor } from '../crash/support/tcp-door.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { asOperator, asRequester } from '../support/gateway.ts';
import { referenceMs } from '../support/thread-cpu.ts';
import { type Asked, measure } from './measure.ts';
import { type Desk, idOf, requestsOf } from './requests.ts';

/*
 * `REQUESTS`, a regular expression, chooses rows by their names. What one request can make a gateway do, in a
 * process of its own: CPU, memory, bytes of the answer, and how much CPU its thread spends on others before
 * it answers /health/live. Only Linux reports these for a process.
 */

/** In times of `referenceMs`, which is measured beside each request: machines and their hours differ. */
const mostStall = 16;
const MiB = 1024 * 1024;
const mostBytes = 64 * MiB;
const whos = {
  'a stranger': {},
  'a requester': { Authorization: asRequester },
  'an operator': { Authorization: asOperator },
} as const;

async function startDesk(parts: AsyncDisposableStack) {
  const database = parts.use(await createTestDatabase());
  await seedDemoDesk(database.database.desk);
  const door = parts.use(await openTcpDoor(database.connection));
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-test-'));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const gateway = parts.use(
    await startGatewayProcess({
      DATABASE_URL: door.urlOf(database.connection),
      DATABASE_OWNER_URL: door.urlOf(database.ownerConnection),
      SMTP_URL: 'smtp://127.0.0.1:9',
      BLOBS_URL: pathToFileURL(join(directory, 'blobs')).href,
      ROLES: 'web',
    }),
  );
  return { gateway, desk: await fill(database) };
}

/**
 * A conversation of large bodies: 60 MB of HTML, and then 200 MB of text, which are the last; and one of many
 * bodies that are quoted together.
 */
async function fill({ ownerConnection }: TestDatabase): Promise<Desk> {
  const sql = postgres({ ...(ownerConnection as object), max: 1, onnotice: () => {} });
  const write = async (count: number, format: string, body: postgres.Fragment, ticket = 47) => {
    const rows = await sql<{ id: number }[]>`
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      select t.id, t.requester_id, n || ${body}, ${format}, 'PUBLIC', false
      from generate_series(1, ${count}::int) n, tickets t where t.id = ${ticket} returning id`;
    await sql`update tickets set
      ${sql({ last_message_id: rows.at(-1)!.id, last_public_message_id: rows.at(-1)!.id })}
      where id = ${ticket}`;
    return rows.map(({ id }) => id);
  };
  const text = (body: string) => sql`${body}::text`;
  await write(50, 'HTML', text(`<p>${'<b>bold</b> text &amp; more '.repeat(370)}</p>`), 46);
  const html = await write(70, 'HTML', text(`<p>${'<b>bold</b> text &amp; more '.repeat(30_000)}</p>`));
  const wide = await write(7, 'TEXT', sql`${'\u{1F600}'}::text || repeat('y', ${4 * MiB - 8}::int)`);
  const escaping = await write(2, 'TEXT', sql`repeat(${'\u0001'}, ${2.5 * MiB}::int)`);
  const plain = await write(50, 'TEXT', text('y'.repeat(4 * MiB - 2)));
  await sql`
    insert into events (ticket_id, number, public_number, type, visibility, message_id)
    select 47, 100000 + id, 100000 + id, 'MESSAGE_ADDED', 'PUBLIC', id from messages
    where id = any (${[...html, ...plain]})`;
  await sql.end();
  return {
    large: idOf(html[0]!),
    many: [...html, ...plain].map(idOf),
    wide: wide.map(idOf),
    escaping: escaping.map(idOf),
    beforeText: idOf(escaping.at(-1)!),
    beforeSeven: idOf(plain.at(-8)!),
  };
}

const out = (line: string) => process.stdout.write(`${line}\n`);

test('one request', async () => {
  await using parts = new AsyncDisposableStack();
  const { gateway, desk } = await startDesk(parts);
  const requests = requestsOf(desk);
  const as = (request: (typeof requests)[string], who: object): Asked => ({
    ...request,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...who, ...request.headers },
  });
  const asAll = whos['an operator'];
  // Not counted: what is compiled or allocated once.
  for (let n = 0; n < 2000; n += 1)
    await measure(gateway.url, gateway.pid, as(requests.nothing!, n % 2 ? asAll : {}));
  await measure(gateway.url, gateway.pid, as(requests['one large body, three times by an id']!, asAll));
  const columns = ['request', 'bytes', 'who', 'status', 'answer, bytes', 'CPU, ms', '/health/live waits, ms'];
  out(`| ${[...columns, 'waits, × the reference', 'memory, MiB'].join(' | ')} |`);
  out('|---|---:|---|---:|---:|---:|---:|---:|---:|');
  const wrong: string[] = [];
  const only = new RegExp(process.env.REQUESTS ?? '');
  for (const [name, request] of Object.entries(requests)) {
    if (!only.test(name)) continue;
    for (const [who, headers] of Object.entries(whos)) {
      const before = referenceMs();
      const asked = as(request, headers);
      const { status, answer, cpuMs, stallMs, grown } = await measure(gateway.url, gateway.pid, asked);
      const stall = stallMs / ((before + referenceMs()) / 2);
      const bytes = Buffer.byteLength(request.body) + (request.path?.length ?? 0);
      const figures = [cpuMs.toFixed(0), stallMs.toFixed(0), stall.toFixed(1), (grown / MiB).toFixed(0)];
      out(`| ${[name, bytes, who, status, answer, ...figures].join(' | ')} |`);
      if (stall > mostStall) wrong.push(`${name}, ${who}: ${stall.toFixed(1)} × the reference`);
      if (grown > mostBytes) wrong.push(`${name}, ${who}: ${(grown / MiB).toFixed(0)} MiB`);
    }
  }
  expect(wrong).toEqual([]);
});
