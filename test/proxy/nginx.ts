import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../support/servers/free-port.ts';

const run = promisify(execFile);
const documented = new URL('../../docs/deploy/nginx.conf', import.meta.url);

/** nginx with the documented configuration, on free ports of loopback. */
export interface Nginx extends AsyncDisposable {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** PEM of the certificate, which is its own authority. */
  readonly certificate: string;
}

/**
 * Starts Debian's nginx, with as many workers as Debian's main file has, and with `docs/deploy/nginx.conf`.
 * What is put into the place of the documented is the ports, the upstream and the certificate's path. A
 * replacement that finds nothing to replace is an error.
 */
export async function startNginx(directory: string, upstreams: readonly string[]): Promise<Nginx> {
  const certificatePath = join(directory, 'desk.pem');
  const keyPath = join(directory, 'desk.key');
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-keyout', keyPath, '-out', certificatePath, '-subj', '/CN=desk.example.com'],
    ...['-addext', 'subjectAltName=DNS:desk.example.com'],
  ]);
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  let site = await readFile(documented, 'utf8');
  const replace = (text: string, by: string) => {
    if (!site.includes(text)) throw new Error(`docs/deploy/nginx.conf has no ${text}`);
    site = site.replaceAll(text, by);
  };
  replace('server 127.0.0.1:4000;', upstreams.map((host) => `server ${host};`).join(' '));
  replace('listen 80;', `listen 127.0.0.1:${httpPort};`);
  replace('listen 443 ssl;', `listen 127.0.0.1:${httpsPort} ssl;`);
  replace('/etc/ssl/desk.example.com.pem', certificatePath);
  replace('/etc/ssl/desk.example.com.key', keyPath);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  for (const name of temporary) await mkdir(join(directory, name), { recursive: true });
  const paths = temporary.map((name) => `${name}_temp_path ${join(directory, name)};`).join('\n  ');
  const configuration = join(directory, 'nginx.conf');
  await writeFile(
    configuration,
    `daemon off;
worker_processes auto;
pid ${join(directory, 'nginx.pid')};
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  ${paths}
  ${site}
}
`,
  );
  const child = spawn('nginx', ['-c', configuration, '-p', directory], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await accepts(httpsPort, () => child.exitCode);
  return {
    httpPort,
    httpsPort,
    certificate: await readFile(certificatePath, 'utf8'),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function accepts(port: number, exitCode: () => number | null): Promise<void> {
  for (;;) {
    if (exitCode() !== null) throw new Error(`nginx ended with ${exitCode()}`);
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      socket.destroy();
    }
  }
}
