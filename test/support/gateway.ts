import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type postgres from 'postgres';
import { type App, createApp, type Overrides } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/platform/log.ts';
import { createTestDatabase, fewConnections, type TestDatabase } from './database.ts';
import { lowCost } from './low-cost.ts';
import { Canary } from './observed/canary.ts';
import { watchReplies } from './observed/replies.ts';
import { watchTraces } from './observed/traces.ts';
import { type SmtpSink, startSmtpSink } from './servers/smtp-sink.ts';

/** A whole gateway on a database of its own, with the demo desk in it and a real SMTP server behind it. */
export interface Gateway extends AsyncDisposable {
  readonly url: string;
  readonly app: App;
  readonly database: TestDatabase;
  /** Past row-level security: what is really in the tables. */
  readonly sql: postgres.Sql;
  readonly sink: SmtpSink;
  readonly blobsDirectory: string;
  /** Posts one operation as JSON. */
  graphql<D = Record<string, never>>(query: string, variables?: object, options?: Call): Promise<Answer<D>>;
  /** Posts to the legacy endpoint as JSON. */
  legacy(body: unknown, options?: Call): Promise<Response>;
  /** Rows of every table that a command writes to. */
  counts(): Promise<Record<string, number>>;
}

export interface Call {
  /** Value of the Authorization header; the demo operator's unless given, none when null. */
  authorization?: string | null;
  headers?: Record<string, string>;
  /** For `variables.input.attachments.N.file`, sent as multipart. */
  files?: readonly (Buffer | File)[];
}

export interface Answer<D> {
  status: number;
  headers: Headers;
  data: D;
  errors?: { message: string; path?: string[]; extensions?: Record<string, unknown> }[];
}

export const basic = (login: string, password = login): string =>
  `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;
export const asOperator = basic('operator');
export const asRequester = basic('requester');

export interface GatewayOptions {
  /** Settings as the environment would give them. */
  env?: Record<string, string>;
  overrides?: Overrides;
  /** Another gateway's database, for two processes on one desk. */
  database?: TestDatabase;
}

export async function startGateway({
  env = {},
  overrides = {},
  database: shared,
}: GatewayOptions = {}): Promise<Gateway> {
  await using parts = new AsyncDisposableStack();
  const database = shared ?? parts.use(await createTestDatabase('demo'));
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-test-'));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const sink = parts.use(await startSmtpSink());
  const sql = database.asOwner(3);
  parts.defer(() => sql.end({ timeout: 5 }));
  const blobsDirectory = join(directory, 'blobs');
  const canary = new Canary();
  canary.set(env);
  const traces = parts.use(await watchTraces(canary));
  const config = readConfig({
    PORT: '0',
    OTEL_EXPORTER_OTLP_ENDPOINT: traces.url,
    DATABASE_URL: 'postgres://overridden',
    DATABASE_POOL: String(fewConnections),
    SMTP_URL: sink.url,
    BLOBS_URL: pathToFileURL(blobsDirectory).href,
    LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
    ...env,
  });
  const connections = { gateway: database.connection, owner: database.ownerConnection };
  const log = process.env.TEST_LOG === undefined ? canary.log : createLog(config.logLevel);
  const app = parts.use(await createApp(config, { log, connections, passwordCost: lowCost, ...overrides }));
  const url = app.url!;
  const served = app.monitorUrl;
  if (served !== undefined) parts.use(watchReplies(served, canary));
  const held = parts.move();

  return {
    url,
    app,
    database,
    sql,
    sink,
    blobsDirectory,
    async graphql(query, variables = {}, call = {}) {
      const body = call.files?.length ? multipart(query, variables, call.files) : { query, variables };
      canary.sent(undefined, variables);
      canary.sent(
        undefined,
        call.files?.map((file) => (file instanceof File ? file.name : undefined)),
      );
      const response = await post(`${url}/graphql`, body, call);
      const answer = (await response.json()) as { errors?: unknown };
      if (answer.errors !== undefined) canary.wrote('errors', JSON.stringify(answer.errors));
      return { status: response.status, headers: response.headers, ...answer } as never;
    },
    legacy: (body, call = {}) => {
      canary.sent(undefined, body);
      return post(`${url}/api/Tickets/NewMessage`, body, call);
    },
    async counts() {
      const [row] = await sql`
        select (select count(*)::int from messages) as messages, (select count(*)::int
        from attachments) as attachments,
          (select count(*)::int from blobs) as blobs, (select count(*)::int from deliveries) as deliveries,
          (select count(*)::int from delivery_recipients) as recipients, (select count(*)::int
          from events) as events,
          (select count(*)::int from idempotency_keys) as keys`;
      return row as unknown as Record<string, number>;
    },
    async [Symbol.asyncDispose]() {
      const metrics = await fetch(`${served}/metrics`).catch(() => undefined);
      if (metrics !== undefined) canary.wrote('metrics', await metrics.text());
      await held.disposeAsync();
      canary.assertSilent();
    },
  };
}

function post(
  url: string,
  body: unknown,
  { authorization = asOperator, headers = {} }: Call,
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      ...(body instanceof FormData ? { 'graphql-preflight': '1' } : { 'content-type': 'application/json' }),
      accept: 'application/json',
      ...(authorization === null ? {} : { authorization }),
      ...headers,
    },
    body: typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body),
  });
}

/** By the GraphQL multipart request specification. */
export function multipart(query: string, variables: object, files: readonly (Buffer | File)[]): FormData {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables }));
  form.set(
    'map',
    JSON.stringify(Object.fromEntries(files.map((_, n) => [n, [`variables.input.attachments.${n}.file`]]))),
  );
  for (const [n, file] of files.entries()) {
    form.set(String(n), file instanceof File ? file : new File([new Uint8Array(file)], `file-${n}.bin`));
  }
  return form;
}
