import type { Desk, DeskContext } from '../context.ts';
import type { GroupCommit } from './commit/group-commit.ts';
import type { DryRun } from './commit/rules.ts';

/** What writing a message needs beside the rest of the desk. */
export interface MessageDesk extends Desk {
  /** Writes the messages that commands add. */
  readonly groupCommit: GroupCommit;
  /** What would refuse a message, without a lock or a write. */
  readonly dryRun: DryRun;
}

/** The first parameter of the commands that write messages, or would. */
export interface MessageContext extends DeskContext {
  readonly desk: MessageDesk;
}
