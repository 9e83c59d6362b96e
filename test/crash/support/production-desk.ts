import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import postgres from 'postgres';
import { mailbox } from './calls.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

/** A desk as a careful administrator sets it up, on a PostgreSQL of somebody else's. */
export interface ProductionDesk extends AsyncDisposable {
  readonly server: PostgresServer;
  /** Signed in as the owner of the tables; sees all rows. */
  readonly owner: postgres.Sql;
  /** Settings of its processes, SMTP_URL among them. */
  readonly env: Record<string, string>;
  /** Values of the Authorization header of one operator, `olga`. */
  readonly credentials: { readonly password: string; readonly token: string };
}

/**
 * Owner and gateway have a login each. The desk has an operator with the mailbox, a requester and five
 * tickets.
 * @param directory of its own, which other users may pass; files and database are in it
 * @param bin folder of PostgreSQL's programs; the ones that npm brings unless given
 */
export async function createProductionDesk(
  directory: string,
  smtpUrl: string,
  bin?: string,
): Promise<ProductionDesk> {
  const server = await startPostgres(directory, bin);
  const { owner, ownerUrl, gatewayUrl } = await createDatabase(server);
  const env = {
    DATABASE_URL: gatewayUrl,
    DATABASE_OWNER_URL: ownerUrl,
    SMTP_URL: smtpUrl,
    BLOBS_URL: pathToFileURL(join(directory, 'blobs')).href,
    DATA_DIR: join(directory, 'data'),
  };
  return {
    server,
    owner,
    env,
    credentials: await makeDesk(env),
    async [Symbol.asyncDispose]() {
      await owner.end();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Runs one command as an administrator types it; what it asks for comes from standard input. */
export async function cli(env: Record<string, string>, args: string[], input = ''): Promise<string> {
  const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(input);
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`ticketwire ${args.join(' ')} ended with ${code}: ${output}`);
  return output;
}

/** The gateway's login owns nothing and may become one role. */
async function createDatabase(server: PostgresServer) {
  const admin = postgres(server.url, { max: 1, onnotice: () => {} });
  await admin`create role desk_owner login createrole password 'owner-password'`;
  await admin`create database desk owner desk_owner`;
  await admin`create role desk_gateway login password 'gateway-password'`;
  await admin.end();
  const ownerUrl = server.urlOf('desk_owner', 'owner-password', 'desk');
  // The first command migrates, as the owner; only then there is a role to be a member of.
  await cli({ DATABASE_URL: ownerUrl }, ['user', 'list']);
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  await owner`grant ticketwire_app to desk_gateway`;
  return { owner, ownerUrl, gatewayUrl: server.urlOf('desk_gateway', 'gateway-password', 'desk') };
}

async function makeDesk(env: Record<string, string>): Promise<{ password: string; token: string }> {
  const operator = ['user', 'add', 'olga', '--name', 'Olga Operator', '--role', 'operator'];
  await cli(env, operator, 'correct horse battery\n');
  const requester = ['user', 'add', 'jane', '--name', 'Jane Doe', '--role', 'requester'];
  await cli(env, [...requester, '--email', 'jane.doe@domain.com', '--no-password']);
  await cli(env, ['mailbox', 'add', mailbox, '--name', 'Company', '--operator', 'olga']);
  for (let n = 1; n <= 5; n += 1)
    await cli(env, ['ticket', 'add', '--subject', `Printer ${n}`, '--requester', 'jane']);
  const scopes = ['--scope', 'read,write,mail'];
  const made = JSON.parse(await cli(env, ['token', 'add', 'olga', '--name', 'script', ...scopes, '--json']));
  return {
    password: `Basic ${Buffer.from('olga:correct horse battery').toString('base64')}`,
    token: `Bearer ${made.token}`,
  };
}
