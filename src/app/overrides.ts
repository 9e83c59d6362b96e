import type { ScryptParameters } from '../auth/scrypt.ts';
import type { Connection } from '../db/database.ts';
import type { Embedded } from '../dev/embedded-postgres/start-postgres.ts';
import type { OperationPlugin } from '../graphql/execute/create-enveloped.ts';
import type { StallLimits } from '../http/connections/cut-stalled.ts';
import type { Logger } from '../platform/log.ts';
import type { GroupCommitLimits } from '../tickets/add-message/commit/group-limits.ts';

/**
 * What a caller of `createApp` may use instead of what the settings say. What is absent is as the settings
 * say, or as usual. All but `embedded` and `onWork` are for tests and benchmarks.
 */
export interface Overrides {
  /**
   * The time in the gateway's code, instead of its copy of the database's clock. SQL goes by the database's
   * clock all the same: the times of messages, leases, rate limits.
   */
  readonly now?: () => Date;
  /** Used instead of a log with the configured level. */
  readonly log?: Logger;
  /** The embedded server, if main.ts has started it already: it starts while the program is being loaded. */
  readonly embedded?: Promise<Embedded> | undefined;
  /**
   * Called during the start, before it sends the first mail or answers the first request. From then on the
   * app must be disposed of, which drains; what remains of the start is short.
   */
  readonly onWork?: () => void;
  /** Used instead of the configured database: `owner` migrates it, and `gateway` does everything else. */
  readonly connections?: { readonly gateway: Connection; readonly owner: Connection };
  /** Limits and timing of the group commit of messages. */
  readonly writer?: GroupCommitLimits;
  /** When an HTTP connection without progress is cut. */
  readonly stallLimits?: StallLimits;
  /**
   * How long a gateway that stops waits for an answer of its blob store, in milliseconds; 10,000 by default.
   */
  readonly stoppingStoreMs?: number;
  /** Cost of new password hashes. */
  readonly passwordCost?: ScryptParameters;
  /** GraphQL plugins that run for every operation, after the gateway's own. None by default. */
  readonly operationPlugins?: readonly OperationPlugin[];
}
