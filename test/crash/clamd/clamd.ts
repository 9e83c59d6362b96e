import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Found anywhere in a file. */
export const signature = 'TICKETWIRE-SIGNATURE-OF-OUR-OWN';
/** Found by its whole digest. */
export const wholeFile = Buffer.from('A file that is known by its digest.\n');
export const maxStreamMiB = 8;

export interface Clamd extends AsyncDisposable {
  readonly socket: string;
  readonly port: number;
}

/** Debian's clamd with a database of two signatures, made for this test. */
export async function startClamd(directory: string, port: number): Promise<Clamd> {
  const database = join(directory, 'signatures');
  const socket = join(directory, 'clamd.sock');
  const config = join(directory, 'clamd.conf');
  await mkdir(database, { recursive: true });
  const hex = Buffer.from(signature).toString('hex');
  await writeFile(join(database, 'own.ndb'), `Ticketwire.Anywhere:0:*:${hex}\n`);
  const digest = createHash('md5').update(wholeFile).digest('hex');
  await writeFile(join(database, 'own.hdb'), `${digest}:${wholeFile.length}:Ticketwire.Whole\n`);
  const settings = [
    ...[`DatabaseDirectory ${database}`, `LocalSocket ${socket}`, `TCPSocket ${port}`, 'TCPAddr 127.0.0.1'],
    ...['Foreground yes', `StreamMaxLength ${maxStreamMiB}M`, 'SelfCheck 0', 'FixStaleSocket yes'],
  ];
  await writeFile(config, `${settings.join('\n')}\n`);
  const child = spawn('clamd', ['--config-file', config], { stdio: 'ignore' });
  const started = await Promise.race([once(child, 'error'), once(child, 'spawn').then(() => undefined)]);
  if (started !== undefined) throw new Error('there is no clamd here: apt-get install clamav-daemon');
  while (!(await answers(socket))) {
    if (child.exitCode !== null) throw new Error(`clamd ended with ${child.exitCode}`);
    await sleep(100);
  }
  return {
    socket,
    port,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
