import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import type { Connection } from '../../db/database.ts';
import type { Logger } from '../../platform/log.ts';
import { EmbeddedUnavailable } from './binaries.ts';
import { DirectoryBusy, launch, type Postmaster } from './postmaster.ts';
import { readHolder } from './postmaster-pid.ts';
import { type Cluster, clusterDirectory, clusterUser, prepareCluster } from './prepare-cluster.ts';
import { port, socketDirectory, socketPath } from './socket-directory.ts';

/**
 * A running PostgreSQL from npm, with its files in a DATA_DIR. Disposing of it stops the server and waits
 * until it has ended.
 */
export interface Embedded extends AsyncDisposable {
  /** Where to connect to the database `ticketwire`, as its owner. The same after a restart of the server. */
  readonly connection: Connection;
  /** The server's process id. It changes when the server is restarted. */
  readonly pid: number;
}

/** How the server is started. */
export interface EmbeddedOptions {
  /** False: no fsync, for tests. True if absent. */
  durable?: boolean;
  /** Further settings of PostgreSQL, by name, which override ours. */
  settings?: Readonly<Record<string, string>>;
  /** Gets an error when the server ends by itself, or cannot be restarted. */
  log?: Logger | undefined;
}

/**
 * Another gateway runs on this DATA_DIR, or its server has not ended within a minute of the gateway's end.
 */
export class EmbeddedInUse extends Error {
  /** Process id of the gateway, or of its server when the gateway is unknown. */
  readonly pid: number;
  /** @param pid process id of the gateway, or of its server */
  constructor(dataDir: string, pid: number) {
    super(`${dataDir} is in use by the process ${pid}: stop it first, or choose another DATA_DIR`);
    this.name = 'EmbeddedInUse';
    this.pid = pid;
  }
}

const databaseName = 'ticketwire';
/** How long a server whose gateway died may take to end: it ends its sessions and writes a checkpoint. */
const endingWithinSeconds = 60;

/**
 * Starts the server, and restarts it whenever it ends. The first start creates the cluster and the database
 * `ticketwire`, without tables. The server stops with this process, however the process ends. If the server
 * of a dead gateway still runs, this waits up to a minute until it has ended.
 * @throws EmbeddedInUse when another gateway runs on this DATA_DIR; EmbeddedUnavailable when PostgreSQL
 *   cannot run here, or DATA_DIR cannot be used; Error when the server is not ready after 120 s
 */
export async function startEmbedded(dataDir: string, options: EmbeddedOptions = {}): Promise<Embedded> {
  try {
    return await start(dataDir, options);
  } catch (error) {
    const { syscall, path } = error as NodeJS.ErrnoException;
    if (syscall === undefined || path === undefined) throw error;
    const message = `DATA_DIR: ${dataDir} cannot be used: ${(error as Error).message}`;
    throw new EmbeddedUnavailable(message, { cause: error });
  }
}

async function start(dataDir: string, options: EmbeddedOptions): Promise<Embedded> {
  const cluster = await prepareCluster(dataDir, { durable: options.durable ?? true });
  let postmaster = await take(cluster, dataDir, options);
  let closing = false;
  const kept = keep();
  const connection = connectionTo(postmaster.socketDirectory);
  try {
    await createDatabase(connection);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    connection,
    get pid() {
      return postmaster.pid;
    },
    [Symbol.asyncDispose]: close,
  };

  async function keep(): Promise<void> {
    for (;;) {
      const why = await postmaster.ended;
      if (closing) return;
      options.log?.error({ why }, 'embedded PostgreSQL stopped, restarting it');
      for (let started = false; !started && !closing; ) {
        try {
          postmaster = await take(cluster, dataDir, options);
          started = true;
          if (closing) await postmaster.stop();
        } catch (err) {
          options.log?.error({ err }, 'embedded PostgreSQL did not start');
          await sleep(1000, undefined, { ref: false });
        }
      }
    }
  }

  async function close(): Promise<void> {
    closing = true;
    await postmaster.stop();
    await kept;
  }
}

/** Whether a DATA_DIR contains a cluster, whether its server runs or not. */
export const existsEmbedded = (dataDir: string): boolean => existsSync(`${clusterDirectory(dataDir)}/data`);

/**
 * Finds the database of a gateway that runs on this DATA_DIR, and waits until its server accepts connections.
 * Starts nothing.
 * @returns where to connect, as the owner of the database; undefined if no gateway runs
 * @throws Error when its server is not ready within half a minute
 */
export async function attachEmbedded(dataDir: string): Promise<Connection | undefined> {
  const data = `${clusterDirectory(dataDir)}/data`;
  for (let tries = 0; ; tries++) {
    const holder = await readHolder(data);
    if (holder?.state !== 'serving') return undefined;
    if (holder.ready) return connectionTo(holder.socketDirectory);
    if (tries > 600) throw new Error(`the PostgreSQL ${holder.pid} in ${dataDir} does not become ready`);
    await sleep(50);
  }
}

/** Launches as soon as the directory is free: a server whose gateway was killed needs a moment to end. */
async function take(cluster: Cluster, dataDir: string, options: EmbeddedOptions): Promise<Postmaster> {
  const deadline = performance.now() + endingWithinSeconds * 1000;
  for (;;) {
    const holder = await readHolder(cluster.data);
    const late = performance.now() > deadline;
    if (holder?.state === 'serving' || (holder?.state === 'ending' && late)) {
      throw new EmbeddedInUse(dataDir, holder.owner ?? holder.pid);
    }
    if (holder?.state !== 'ending') {
      try {
        return await launch(cluster, {
          socketDirectory: socketDirectory(cluster.directory, cluster.identity),
          durable: options.durable ?? true,
          settings: options.settings ?? {},
          ignoredPid: holder?.pid,
        });
      } catch (error) {
        if (!(error instanceof DirectoryBusy) || late) throw error;
      }
    }
    await sleep(50);
  }
}

function connectionTo(directory: string): Connection {
  return { path: socketPath(directory), port, user: clusterUser, database: databaseName };
}

async function createDatabase(connection: Connection): Promise<void> {
  const client = postgres({ ...(connection as object), database: 'postgres', max: 1, onnotice: () => {} });
  try {
    const [there] = await client`select from pg_database where datname = ${databaseName}`;
    if (!there) await client`create database ${client(databaseName)}`;
  } finally {
    await client.end({ timeout: 5 });
  }
}
