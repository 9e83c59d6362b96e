import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type postgres from 'postgres';
import { migrate, openDatabase } from '../../../src/db/database.ts';
import { seedDemoDesk } from '../../../src/dev/demo/seed-desk.ts';
import { type DatabaseDoor, openDatabaseDoor } from '../../support/servers/database-door.ts';
import { startSinkProcess } from '../../support/servers/smtp-sink-process.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { type Cluster, createCluster } from './cluster.ts';

/** Two gateways as production runs them, a mail server, and a database behind a network that can fail. */
export interface World extends AsyncDisposable {
  readonly door: DatabaseDoor;
  readonly gateways: readonly GatewayProcess[];
  /** What the mail server took, one line a mail. */
  readonly journal: string;
}

const login = 'gateway';
const desk = 'desk';

/** A cluster with the demo desk in it, which is not running: each world has a copy of it. */
export async function createTemplate(directory: string): Promise<Cluster> {
  const cluster = await createCluster(join(directory, 'template'));
  await cluster.start();
  const admin = cluster.sql();
  await admin.unsafe(`create database ${desk}`);
  const place = { host: '127.0.0.1', port: cluster.port, user: 'admin', database: desk };
  await migrate(place);
  await admin.unsafe(`create role ${login} login in role ticketwire_app`);
  await using database = openDatabase({ ...place, user: login }, { poolSize: 2 });
  await seedDemoDesk(database.desk);
  await database[Symbol.asyncDispose]();
  await admin`checkpoint`;
  await admin.end();
  await cluster.kill();
  return cluster;
}

export async function startWorld(directory: string, cluster: Cluster): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const door = parts.use(await openDatabaseDoor(placeOf(cluster)));
  const journal = join(directory, `mails-${cluster.port}`);
  const sink = parts.use(await startSinkProcess(journal));
  const urlOf = (user: string) => `postgres://${user}@127.0.0.1:${door.port}/${desk}`;
  const env = {
    DATABASE_URL: urlOf(login),
    DATABASE_OWNER_URL: urlOf('admin'),
    SMTP_URL: sink.url,
    BLOBS_URL: pathToFileURL(join(directory, `blobs-${cluster.port}`)).href,
    DATA_DIR: directory,
  };
  const gateways = await Promise.all([startGatewayProcess(env), startGatewayProcess(env)]);
  for (const gateway of gateways) parts.use(gateway);
  const held = parts.move();
  return { door, gateways, journal, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** As a new connection of the door leads there. */
export const placeOf = ({ port }: Cluster) => ({ host: '127.0.0.1', port, user: login, database: desk });

/** As the owner of the tables, past the door. */
export const ownerOf = (cluster: Cluster, connect: (options: object) => postgres.Sql): postgres.Sql =>
  connect({ ...placeOf(cluster), user: 'admin', max: 2, onnotice: () => {} });
