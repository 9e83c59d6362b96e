import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// Clock: watchers and writers whose gateway is away try again a little later.
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { createTemplate, ownerOf } from '../crash/database/world.ts';
import { type GatewayProcess, startGatewayProcess } from '../crash/support/gateway-process.ts';
import { between, seeded } from '../crash/support/random.ts';
import { asOperator, asRequester } from '../support/gateway.ts';
import { type HistoryWatcher, type SeenInHistory, watchHistory } from './event-history.ts';
import { assertEachOnce } from './event-history-verdict.ts';

/*
 * The history of event-history.test.ts by gateways that are processes of their own. They are killed, drained
 * and started again, and so is PostgreSQL, while it is written and watched.
 */

const seed = Number(process.env.EVENTS_SEED ?? 20261129);
const operations = Number(process.env.EVENTS_OPERATIONS ?? 300);
/** Operations between two incidents. */
const everySo = 25;
const [kept, moved, quiet] = [47, 42, 3];
const marker = 'the last word';
const momentMs = 20;

/** Two gateways on a PostgreSQL that can be killed. */
async function startDesk() {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-restarts-'));
  await chmod(directory, 0o711);
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const cluster = parts.use(await createTemplate(directory));
  await cluster.start();
  const urlOf = (user: string) => `postgres://${user}@127.0.0.1:${cluster.port}/desk`;
  const env = {
    ROLES: 'web',
    DATABASE_URL: urlOf('gateway'),
    DATABASE_OWNER_URL: urlOf('admin'),
    SMTP_URL: 'smtp://127.0.0.1:9',
    BLOBS_URL: pathToFileURL(join(directory, 'blobs')).href,
    DATA_DIR: directory,
  };
  const gateways: (GatewayProcess | undefined)[] = [
    await startGatewayProcess(env),
    await startGatewayProcess(env),
  ];
  parts.defer(async () => {
    for (const gateway of gateways) await gateway?.kill();
  });
  const sql = ownerOf(cluster, postgres);
  parts.defer(() => sql.end({ timeout: 1 }));
  const held = parts.move();
  return {
    cluster,
    sql,
    /** One of the gateways that are running. */
    url(random: () => number): string {
      const running = gateways.filter((one) => one !== undefined);
      return running[between(random, 0, Math.max(0, running.length - 1))]?.url ?? 'http://127.0.0.1:9';
    },
    async restart(n: number, how: 'kill' | 'stop'): Promise<void> {
      const old = gateways[n];
      gateways[n] = undefined;
      await old?.[how]();
      gateways[n] = await startGatewayProcess(env);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
type Desk = Awaited<ReturnType<typeof startDesk>>;

/** Until it succeeds. */
async function persist<T>(act: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const done = await act().catch(() => undefined);
    if (done !== undefined) return done;
    await sleep(momentMs);
  }
}

async function ask<T>(url: string, query: string, variables: object = {}): Promise<T | undefined> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: asOperator, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data } = (await response.json()) as { data?: Record<string, T | null> };
  return Object.values(data ?? {})[0] ?? undefined;
}

/** Writes a message once, however often its gateway goes away meanwhile. @returns its id */
const say = (
  desk: Desk,
  random: () => number,
  input: { readonly body: string; readonly [more: string]: unknown },
) =>
  persist(async () => {
    const query = `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
      ... on AddTicketMessagePayload { ticketMessage { messageId } } } }`;
    const variables = {
      input: { ...input, idempotencyKey: `${seed} ${input.body} ${JSON.stringify(input.ticket)}` },
    };
    const answer = await ask<{ ticketMessage?: { messageId: number } }>(desk.url(random), query, variables);
    return answer?.ticketMessage?.messageId;
  });

/** One of two who write at the same time. */
async function write(desk: Desk, name: string, random: () => number, done: () => void): Promise<void> {
  let owner = 2;
  for (let n = 0; n < operations / 2; n += 1) {
    const ticketId = [kept, moved, quiet][between(random, 0, 2)]!;
    if (random() < 0.08) {
      owner = 5 - owner;
      await persist(
        () => desk.sql`update tickets set requester_id = ${owner} where id = ${moved} returning 1`,
      );
    } else {
      const visibility = random() < 0.4 ? 'PRIVATE' : 'PUBLIC';
      await say(desk, random, { ticket: { ticketId }, body: `${name} ${n}`, visibility });
    }
    done();
  }
}

const incidents: readonly ((desk: Desk) => Promise<void>)[] = [
  (desk) => desk.restart(0, 'kill'),
  (desk) => desk.restart(1, 'stop'),
  async ({ cluster }) => {
    await cluster.kill();
    await cluster.start();
  },
];

test(`restarts: each visible event once, in order (seed ${seed}, ${operations} operations)`, async () => {
  await using desk = await startDesk();
  const random = seeded(seed);
  const after = await persist(() => ask<string>(desk.url(random), '{ deskCursor }'));
  const [begun] = await desk.sql<{ id: number }[]>`select coalesce(max(id), 0)::int as id from messages`;
  const ending = new AbortController();
  const watch = (watcher: HistoryWatcher, isLast: (seen: SeenInHistory) => boolean) =>
    watchHistory(watcher, {
      random,
      url: () => desk.url(random),
      isLast,
      signal: ending.signal,
      moreWritten: () => sleep(momentMs),
    });
  const isMarker = ({ ticketMessage }: SeenInHistory) => ticketMessage?.body === marker;
  const ofDesk = () =>
    watch(
      { field: 'deskEvents', authorization: asOperator, after },
      (seen) => isMarker(seen) && seen.ticket?.ticketId === quiet,
    );
  const ofTicket = (ticketId: number, authorization: string) =>
    watch({ field: 'ticketEvents', ticketId, authorization }, isMarker);
  const complete = Promise.all([
    ...[ofDesk(), ofDesk(), ofTicket(kept, asOperator), ofTicket(moved, asOperator)],
    ofTicket(kept, asRequester),
  ]);
  const away = ofTicket(moved, asRequester);
  let written = 0;
  let happening = Promise.resolve();
  const done = () => {
    written += 1;
    if (written % everySo !== 0) return;
    const incident = incidents[(written / everySo) % incidents.length]!;
    happening = happening.then(() => incident(desk));
  };
  const writers = ['one', 'other'].map((name, n) => write(desk, name, seeded(seed + n + 1), done));
  await Promise.all(writers);
  await happening;
  await desk.sql`update tickets set requester_id = 3 where id = ${moved}`;
  for (const ticketId of [kept, moved, quiet])
    await say(desk, random, { ticket: { ticketId }, body: marker });
  const [one, two, ofKept, ofMoved, own] = await complete;
  ending.abort();
  const lost = await away;
  const tickets = { kept: kept!, moved: moved!, quiet: quiet!, begun: begun!.id };
  const seen = { desk: one!, deskAgain: two!, ofKept: ofKept!, ofMoved: ofMoved!, own: own! };
  await assertEachOnce(desk.sql, tickets, seen);
  expect(lost.every(({ visibility }) => visibility === 'PUBLIC')).toBe(true);
  expect(lost.some(isMarker)).toBe(false);
}, 3_600_000);
