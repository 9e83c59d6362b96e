import type { Desk, DeskContext } from '../desk.ts';
import type { GroupCommit } from './group-commit.ts';
import type { DryRun } from './rules.ts';

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
