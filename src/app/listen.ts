import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../config.ts';

interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Makes a server listen, and waits until it does. The port 0 means any free port.
 * @param portSetting the setting that the port comes from, for the error; PORT by default
 * @returns the server's origin with the address and the port that it listens on: `http://127.0.0.1:4000`
 * @throws ConfigError that names the setting to change: `portSetting` when the port is in use or this user
 *   may not listen on it, else HOST. Its cause is the socket's error.
 */
export async function listen(
  server: Server,
  { host, port }: ListenAddress,
  portSetting: 'PORT' | 'WORKER_PORT' = 'PORT',
): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new ConfigError(whyNot(error as NodeJS.ErrnoException, { host, port }, portSetting), {
      cause: error,
    });
  }
  const { address, port: taken, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
}

function whyNot(
  { code, message }: NodeJS.ErrnoException,
  { host, port }: ListenAddress,
  setting: string,
): string {
  if (code === 'EADDRINUSE') return `${setting}: ${host}:${port} is in use by another program`;
  if (code === 'EACCES') return `${setting}: this user may not listen on ${port}`;
  return `HOST: cannot be listened on: ${message}`;
}
