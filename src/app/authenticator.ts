import { type Authenticator, createAuthenticator } from '../auth/authenticate.ts';
import { demoHashes } from '../dev/demo/seed-desk.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Foundation } from './foundation.ts';

/**
 * Creates the authenticator of all requests, counts rejected sign-ins in the metrics, and registers the
 * authenticator in `parts`. With the embedded database, the public passwords of the demo desk are accepted
 * from direct requests only: those of programs on this machine, not through a proxy. Another database has no
 * public passwords.
 */
export function createRequestAuthenticator(
  { config, overrides, parts, database, now, log }: Foundation,
  metrics: Metrics,
): Authenticator {
  return parts.use(
    createAuthenticator({
      db: database.desk,
      jwt: config.jwt,
      legacyCharset: config.legacyCharset,
      ...(config.database.kind === 'embedded' ? { knownPasswords: demoHashes } : {}),
      passwordCost: overrides.passwordCost,
      now,
      log,
      refused: metrics.signInRefused,
    }),
  );
}
