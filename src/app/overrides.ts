import type { ScryptParameters } from '../auth/scrypt.ts';
import type { Connection } from '../db/database.ts';
import type { Embedded } from '../dev/embedded-postgres/start-postgres.ts';
import type { OperationPlugin } from '../graphql/execute/yoga.ts';
import type { StallLimits } from '../http/connections/cut-stalled.ts';
import type { Logger } from '../platform/log.ts';
import type { GroupCommitLimits } from '../tickets/add-message/commit/group-limits.ts';

/** What tests and benchmarks may set instead of the real thing. */
export interface Overrides {
  readonly now?: () => Date;
  readonly log?: Logger;
  /** The embedded server, if main.ts has started it already: it starts while the program is being loaded. */
  readonly embedded?: Promise<Embedded> | undefined;
  /** Used instead of the configured database. */
  readonly connections?: { readonly gateway: Connection; readonly owner: Connection };
  readonly writer?: GroupCommitLimits;
  /** When a connection without progress is cut. */
  readonly stallLimits?: StallLimits;
  /** How long a gateway that stops waits for an answer of its blob store, in milliseconds. */
  readonly stoppingStoreMs?: number;
  /** Cost of new password hashes. */
  readonly passwordCost?: ScryptParameters;
  /** Run for every operation, after the gateway's own plugins. */
  readonly operationPlugins?: readonly OperationPlugin[];
}
