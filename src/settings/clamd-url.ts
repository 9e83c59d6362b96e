/** Where a clamd listens. */
export type Clamd = { readonly path: string } | { readonly host: string; readonly port: number };

const defaultPort = 3310;

/**
 * Parses CLAMD_URL: `clamd://host:port` or `unix:/path` of a socket. The port is 3310 by default.
 * @throws Error whose message completes a sentence that begins with the setting's name
 */
export function readClamdUrl(text: string): Clamd {
  const path = /^unix:(\/.+)$/.exec(text)?.[1]?.replace(/^\/\/(?=\/)/, '');
  if (path !== undefined) return { path };
  const match = /^clamd:\/\/(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?\/?$/.exec(text);
  const port = Number(match?.[3] ?? defaultPort);
  if (match === null || port === 0 || port > 65_535)
    throw new Error('must be clamd://host:port or unix:/path');
  return { host: match[1] ?? match[2]!, port };
}
