import type { Readable, Writable } from 'node:stream';
import type postgres from 'postgres';
import type { z } from 'zod';
import type { Config } from '../config.ts';
import type { Db } from '../db/database.ts';
import { explainIssue } from '../platform/explain-issue.ts';

/** The standard streams. A stream without `isTTY` is a file or a pipe. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
}

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command with a database receives. The database has the tables of this version. */
export interface CommandContext extends Terminal {
  /** Connections that see and may change the whole desk. */
  readonly db: Db;
  /** Plain postgres.js connections to the same database, with the same rights. */
  readonly sql: postgres.Sql;
  readonly config: Config;
}
/** What a command without a database receives. */
export interface LooseContext extends Terminal {
  readonly env: Environment;
  /**
   * Returns a signal that is aborted when the user or the system asks the program to end. For commands that
   * run until they are interrupted; from the call on, the first interruption does not end the process by
   * itself.
   */
  readonly whenInterrupted: () => AbortSignal;
}

interface OptionBase {
  readonly help: string;
}
/** An option of a command: `boolean` is typed as `--name`, `string` as `--name VALUE`. */
export type Option =
  | (OptionBase & { readonly type: 'boolean' })
  | (OptionBase & {
      readonly type: 'string';
      /** Placeholder of the value in help texts. */
      readonly value: string;
      /** One letter: `f` for `-f`. */
      readonly short?: string;
      /** Whether it may be repeated; each value counts then. Otherwise the last one counts. */
      readonly multiple?: boolean;
      readonly required?: boolean;
    });

/**
 * The options that were given, by name: true for a boolean one, a text for a string one, and a list of texts
 * for one that may be repeated.
 */
export type OptionValues = Readonly<
  Record<string, string | boolean | readonly (string | boolean)[] | undefined>
>;

/** What a command prints: `json` with `--json`, else `text`. */
export interface Output {
  readonly json: unknown;
  readonly text: string;
  /** The same as `text` for a terminal with this number of columns; `text` itself is printed if absent. */
  readonly narrow?: (room: number) => string;
  /** What a pipe or a file gets instead of `text`: the one value that a script wants. */
  readonly piped?: string;
  /** The process's exit code; 0 if absent. */
  readonly exitCode?: number;
}

/** What help texts show of a command. */
export interface CommandInfo {
  /** As typed, with a space between its words: `user add`. */
  readonly name: string;
  /** Positional arguments in order; `?` marks an optional one. */
  readonly arguments: readonly string[];
  /** One line without a full stop. */
  readonly summary: string;
  /** Further text for the help. */
  readonly details?: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Arguments of `ticketwire` in the example. */
  readonly example: string;
}

/** A command that uses the database directly. */
export interface Command extends CommandInfo {
  /**
   * Carries the command out. It prints progress and warnings itself, and returns what is printed at the end.
   * @param args positional arguments in order, as many as are required or more
   * @param values the options that were given
   * @throws UsageError or CommandError, whose messages are printed; any other error is explained by `explain`
   */
  run(ctx: CommandContext, args: readonly string[], values: OptionValues): Promise<Output>;
}

/** A command that opens no database. */
export interface LooseCommand extends CommandInfo {
  /** Carries the command out, as `run` of {@link Command} does. */
  runLoose(ctx: LooseContext, args: readonly string[], values: OptionValues): Promise<Output>;
}

/** Invalid arguments. The message is printed as it is, and the exit code is 2. */
export class UsageError extends Error {}
/** The command failed. The message is printed as it is, and the exit code is 1. */
export class CommandError extends Error {}

/** The value of a string option that is not `multiple`; undefined if it was not given. */
export const one = (values: OptionValues, name: string): string | undefined =>
  values[name] as string | undefined;
/**
 * All values of a `multiple` string option, in the order in which they were given; empty if there are none.
 */
export const many = (values: OptionValues, name: string): readonly string[] =>
  (values[name] as readonly string[] | undefined) ?? [];

/**
 * Parses a whole number.
 * @param what name of the argument, for the error
 * @throws UsageError unless the text is a whole number from `min` to `max`
 */
export function wholeNumber(text: string, what: string, min = 1, max = 2_147_483_647): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw new UsageError(`${what} must be a whole number from ${min} to ${max}`);
  }
  return number;
}

/**
 * Validates a value by a schema.
 * @returns the schema's output, with its defaults
 * @throws CommandError with one line (`member: what is wrong`) for each thing that is wrong with the value
 */
export function checked<T>(schema: z.ZodType<T>, value: { readonly [K in keyof T]: unknown }): T {
  const parsed = schema.safeParse(value, { error: explainIssue });
  if (parsed.success) return parsed.data;
  throw new CommandError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'),
  );
}
