import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { freePort } from '../../support/servers/free-port.ts';

const run = promisify(execFile);

export interface Postfix extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Sources as delivered, one for each recipient, with Postfix's own trace headers on top. */
  delivered(): Promise<Buffer[]>;
}

/**
 * A real Postfix in a private folder, on loopback only: it takes mail for every address of every domain into
 * one Maildir, relays nothing, and takes no mail without TLS. Its certificate is made now, for 127.0.0.1, and
 * this process trusts it from then on. Needs root and Debian's `postfix` package, which is installed when it
 * is missing and brings `openssl`.
 * @param keep `maildir`: what arrives can be read; `discard`: it is taken, synced to the queue, and thrown
 * away
 */
export async function startPostfix({ keep }: { keep: 'maildir' | 'discard' }): Promise<Postfix> {
  if (process.getuid?.() !== 0) throw new Error('Postfix has to be started as root');
  if (!existsSync('/usr/sbin/postfix')) installPostfix();
  const directory = await mkdtemp(join(tmpdir(), 'postfix-'));
  await chmod(directory, 0o755);
  const [config, queue, data, mail] = ['config', 'queue', 'data', 'mail'].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  for (const folder of [config, queue, data, mail]) await mkdir(folder);
  const owner = Number(execFileSync('id', ['-u', 'postfix']).toString());
  const nobody = Number(execFileSync('id', ['-u', 'nobody']).toString());
  await chown(data, owner, -1);
  await chown(mail, nobody, -1);
  const port = await freePort();
  const chain = join(config, 'chain.pem');
  await makeCertificate(chain);
  await writeFile(join(config, 'main.cf'), mainConfig({ queue, data, mail, chain, nobody, keep }));
  await writeFile(join(config, 'master.cf'), masterConfig(port));
  const master = spawn('/usr/sbin/postfix', ['-c', config, 'start-fg'], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => master.once('exit', () => resolve()));
  const stop = async () => {
    await run('/usr/sbin/postfix', ['-c', config, 'stop']).catch(() => {});
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await answers(port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    url: `smtp://127.0.0.1:${port}?tls=require`,
    async delivered() {
      const folder = join(mail, 'all', 'new');
      const names = await readdir(folder).catch(() => []);
      return Promise.all(names.map((name) => readFile(join(folder, name))));
    },
    [Symbol.asyncDispose]: stop,
  };
}

function installPostfix(): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update', '-qq'], { env, stdio: 'inherit' });
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postfix'], {
    env,
    stdio: 'ignore',
  });
}

/** A key and its certificate in one file, and the certificate among those that this process trusts. */
async function makeCertificate(chain: string): Promise<void> {
  const subject = ['-subj', '/CN=harness.test', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  // Both to one stream: Postfix wants the key first, and so does openssl.
  const { stdout } = await run('openssl', ['req', '-x509', ...key, ...subject, '-keyout', '-', '-out', '-']);
  await writeFile(chain, stdout, { mode: 0o600 });
  const certificate = stdout.slice(stdout.indexOf('-----BEGIN CERTIFICATE-----'));
  setDefaultCACertificates([...getCACertificates('default'), certificate]);
}

interface Settings {
  queue: string;
  data: string;
  mail: string;
  chain: string;
  nobody: number;
  keep: 'maildir' | 'discard';
}

const mainConfig = ({ queue, data, mail, chain, nobody, keep }: Settings): string => `
compatibility_level = 3.6
queue_directory = ${queue}
data_directory = ${data}
maillog_file =
syslog_facility = local7
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = harness.test
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtputf8_enable = yes
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = ${chain}
message_size_limit = 0
virtual_mailbox_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
in_flow_delay = 0
default_destination_concurrency_limit = 20
virtual_mailbox_domains = static:ALL
virtual_mailbox_maps = static:all/
virtual_mailbox_base = ${mail}
virtual_minimum_uid = 100
virtual_uid_maps = static:${nobody}
virtual_gid_maps = static:${nobody}
virtual_transport = ${keep === 'maildir' ? 'virtual' : 'discard'}
local_recipient_maps =
alias_maps =
alias_database =
`;

const masterConfig = (port: number): string => `
127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

async function answers(port: number): Promise<void> {
  for (let n = 0; n < 100; n += 1) {
    const greeted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('data', () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      setTimeout(() => socket.destroy(), 1000).unref();
    });
    if (greeted) return;
    await sleep(100);
  }
  throw new Error('Postfix does not answer');
}
