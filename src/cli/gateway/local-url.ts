import type { Environment } from '../command.ts';

/** For the help of options: where the address of {@link localUrl} comes from, and its default. */
export const localUrlHelp = 'HOST and PORT: http://127.0.0.1:4000';

/**
 * The URL at which this machine reaches its gateway by the settings HOST and PORT: `http://127.0.0.1:4000`
 * without them, or when they are empty. An address for all interfaces (0.0.0.0 or ::) becomes 127.0.0.1, and
 * the port 0 becomes 4000.
 */
export function localUrl({ HOST, PORT }: Environment): string {
  // A server that listens on all addresses is reached at this machine's own.
  const host = !HOST || HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST;
  // Port 0 is any free one, which nobody here knows.
  const port = !PORT || PORT === '0' ? '4000' : PORT;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
