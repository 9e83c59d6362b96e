import type { Readable, Writable } from 'node:stream';
import type postgres from 'postgres';
import type { z } from 'zod';
import type { Config } from '../config.ts';
import type { Db } from '../db/database.ts';
import { explainIssue } from '../platform/explain-issue.ts';

/** The standard streams. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
}

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command with a database receives. */
export interface CommandContext extends Terminal {
  readonly db: Db;
  /** The raw postgres.js connections of the same role. */
  readonly sql: postgres.Sql;
  readonly config: Config;
}
/** What a command without a database receives. */
export interface LooseContext extends Terminal {
  readonly env: Environment;
  /** For commands that run until they are interrupted. */
  readonly whenInterrupted: () => AbortSignal;
}

interface OptionBase {
  readonly help: string;
}
/** An option of a command, as `--name` or `--name VALUE`. */
export type Option =
  | (OptionBase & { readonly type: 'boolean' })
  | (OptionBase & {
      readonly type: 'string';
      /** Placeholder of the value in help texts. */
      readonly value: string;
      /** One letter: `f` for `-f`. */
      readonly short?: string;
      readonly multiple?: boolean;
      readonly required?: boolean;
    });

/** The options that were given, by name. */
export type OptionValues = Readonly<
  Record<string, string | boolean | readonly (string | boolean)[] | undefined>
>;

/** What a command prints: `json` with `--json`, else `text`. */
export interface Output {
  readonly json: unknown;
  readonly text: string;
  /** The same for a terminal of this width. */
  readonly narrow?: (room: number) => string;
  /** What a pipe or a file gets instead of `text`: the one value that a script wants. */
  readonly piped?: string;
  /** The process's exit code; 0 if absent. */
  readonly exitCode?: number;
}

/** What help texts show of a command. */
export interface CommandInfo {
  /** As typed: `user add`. */
  readonly name: string;
  /** Positional arguments in order; `?` marks an optional one. */
  readonly arguments: readonly string[];
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
   * @param args positional arguments in order
   * @param values the options that were given
   */
  run(ctx: CommandContext, args: readonly string[], values: OptionValues): Promise<Output>;
}

/** A command that opens no database. */
export interface LooseCommand extends CommandInfo {
  runLoose(ctx: LooseContext, args: readonly string[], values: OptionValues): Promise<Output>;
}

/** Invalid arguments: exit code 2, with a hint at `--help`. */
export class UsageError extends Error {}
/** The command failed: exit code 1. */
export class CommandError extends Error {}

/** The value of an option that may be given once; undefined if it was not given. */
export const one = (values: OptionValues, name: string): string | undefined =>
  values[name] as string | undefined;
/** All values of an option that may be repeated. */
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
 * Validates a value.
 * @throws CommandError with one line for each thing that is wrong with the value
 */
export function checked<T>(schema: z.ZodType<T>, value: { readonly [K in keyof T]: unknown }): T {
  const parsed = schema.safeParse(value, { error: explainIssue });
  if (parsed.success) return parsed.data;
  throw new CommandError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'),
  );
}
