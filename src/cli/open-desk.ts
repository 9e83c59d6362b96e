import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { type Connection, type Db, migrate, openDatabase } from '../db/database.ts';
import { attachEmbedded, type Embedded, EmbeddedInUse, startEmbedded } from '../db/embedded.ts';

/** The desk's database, brought to this version's tables. */
export interface OpenDesk extends AsyncDisposable {
  readonly db: Db;
  readonly config: Config;
}

/** That of `DATABASE_URL`, or the embedded one of `DATA_DIR`: the running gateway's if one runs, else started for this command. */
export async function openDesk(config: Config): Promise<OpenDesk> {
  await using stack = new AsyncDisposableStack();
  let connections: { owner: Connection; gateway: Connection };
  if (config.database.kind === 'url') {
    connections = { owner: config.database.ownerUrl, gateway: config.database.url };
  } else {
    const embedded = await attachOrStart(config.dataDir);
    const connection = 'pid' in embedded ? stack.use(embedded).connection : embedded.connection;
    connections = { owner: connection, gateway: connection };
  }
  await migrate(connections.owner);
  const database = stack.use(
    openDatabase(connections.gateway, { poolSize: 2, applicationName: 'ticketwire-cli' }),
  );
  const kept = stack.move();
  return { db: database.desk, config, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Another process may start or stop the server between looking and starting: then it is looked at again. */
async function attachOrStart(dataDir: string): Promise<Embedded | { connection: Connection }> {
  for (let tries = 0; ; tries += 1) {
    const connection = await attachEmbedded(dataDir);
    if (connection !== undefined) return { connection };
    try {
      return await startEmbedded(dataDir);
    } catch (error) {
      if (!(error instanceof EmbeddedInUse) || tries >= 20) throw error;
      await sleep(100);
    }
  }
}
