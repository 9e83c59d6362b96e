import { asUnavailable, sqlState } from './database-faults.ts';
import { Unavailable } from './errors.ts';

/** What a person can do about a start that failed; undefined when that is for whoever reads a stack trace. */
export function describeStartError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'ConfigError' || error.name === 'EmbeddedInUse') return error.message;
  const { code, address, port } = error as { code?: unknown; address?: unknown; port?: unknown };
  if (code === 'EADDRINUSE') return `PORT: ${address}:${port} is in use by another program`;
  if (code === 'EACCES' && port !== undefined) return `PORT: this user may not listen on ${port}`;
  const state = sqlState(error);
  if (state === '42501') {
    return `DATABASE_URL: the login may not do this (${rootOf(error).message}); README.md says which roles it needs`;
  }
  if (state === '28P01' || state === '28000' || state === '3D000')
    return `DATABASE_URL: ${rootOf(error).message}`;
  return asUnavailable(error) instanceof Unavailable
    ? `DATABASE_URL: the database does not answer (${state})`
    : undefined;
}

/** What the server said, without the statement that the mapper wraps around it. */
function rootOf(error: Error): Error {
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}
