import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import postgres from 'postgres';
import { freePort } from '../../support/servers/free-port.ts';
import { startSinkProcess } from '../../support/servers/smtp-sink-process.ts';
import type { Cluster } from '../database/cluster.ts';
import { createTemplate, ownerOf } from '../database/world.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { type Pooler, startPooler } from './pooler.ts';

/** Two gateways and a worker with the demo desk, behind one PgBouncer. */
export interface PooledDesk extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly pooler: Pooler;
  readonly gateways: readonly GatewayProcess[];
  readonly urls: readonly string[];
  readonly worker: GatewayProcess;
  /** What the mail server took, one line a mail. */
  readonly journal: string;
  /** Signed in as the owner of the tables, past PgBouncer. */
  readonly owner: postgres.Sql;
}

/** Connections of each pool for requests. Three processes then use 75 sessions at most. */
const poolSize = 3;

/** Starts them. */
export async function startPooledDesk(directory: string): Promise<PooledDesk> {
  await using parts = new AsyncDisposableStack();
  const cluster = parts.use(await createTemplate(directory));
  await cluster.start();
  const server = `postgres://gateway:secret@127.0.0.1:${cluster.port}/desk`;
  const pooler = parts.use(await startPooler({ directory, server, lines: { default_pool_size: '78' } }));
  const journal = join(directory, 'mails');
  const sink = parts.use(await startSinkProcess(journal));
  const env = {
    DATABASE_URL: pooler.url,
    DATABASE_OWNER_URL: `postgres://admin@127.0.0.1:${cluster.port}/desk`,
    DATABASE_POOL: `${poolSize}`,
    SMTP_URL: sink.url,
    BLOBS_URL: pathToFileURL(join(directory, 'blobs')).href,
    DATA_DIR: directory,
  };
  const worker = { ...env, ROLES: 'worker', WORKER_PORT: `${await freePort()}` };
  const [first, second, third] = await Promise.all([
    startGatewayProcess({ ...env, ROLES: 'web' }),
    startGatewayProcess({ ...env, ROLES: 'web' }),
    startGatewayProcess(worker),
  ]);
  for (const process of [first, second, third]) parts.use(process);
  const owner = ownerOf(cluster, postgres);
  parts.defer(() => owner.end({ timeout: 5 }));
  const held = parts.move();
  return {
    ...{ cluster, pooler, journal, owner, worker: third },
    gateways: [first, second],
    urls: [first.url, second.url],
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
