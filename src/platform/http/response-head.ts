import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

const requestId = Symbol('request id');
type NamedResponse = ServerResponse & { [requestId]?: string };

/** Sets the response's X-Request-Id. */
export function nameRequest(res: ServerResponse, id: string): void {
  (res as NamedResponse)[requestId] = id;
}

/** The X-Request-Id that was set. */
export const requestIdOf = (res: ServerResponse): string | undefined => (res as NamedResponse)[requestId];

/**
 * Writes the head of a response, with its X-Request-Id. Every route uses it. Node writes headers that are
 * passed together as they are; a single one that was set before makes Node set all others one by one, which
 * is slower.
 */
export function writeHead(res: ServerResponse, status: number, headers: OutgoingHttpHeaders): ServerResponse {
  const id = requestIdOf(res);
  return res.writeHead(status, id === undefined ? headers : { 'X-Request-Id': id, ...headers });
}
