import { type Authenticator, createAuthenticator } from '../auth/authenticate.ts';
import { demoHashes } from '../dev/demo/desk.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Foundation } from './foundation.ts';

/**
 * Creates the authenticator of all requests. Passwords of the demo desk are accepted only with the embedded
 * database.
 */
export function startAuthenticator(
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
