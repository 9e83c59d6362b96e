import { parseArgs } from 'node:util';
import { ConfigError } from '../config.ts';
import { asUnavailable, sqlState } from '../database-faults.ts';
import { EmbeddedInUse } from '../db/embedded.ts';
import { Unavailable } from '../errors.ts';
import { blobCommands } from './blobs.ts';
import {
  type Command,
  CommandError,
  type Described,
  type LooseCommand,
  type Output,
  type Terminal,
  UsageError,
  type Values,
} from './command.ts';
import { helpOf, overview, usageOf } from './help.ts';
import { importCommands } from './import.ts';
import { legacyCommands } from './legacy.ts';
import { mailboxCommands } from './mailboxes.ts';
import type { OpenDesk } from './open-desk.ts';
import { ticketCommands } from './tickets.ts';
import { tokenCommands } from './tokens.ts';
import { userCommands } from './users.ts';

const commands: readonly (Command | LooseCommand)[] = [
  ...userCommands,
  ...tokenCommands,
  ...mailboxCommands,
  ...ticketCommands,
  ...blobCommands,
  ...importCommands,
  ...legacyCommands,
];

/**
 * @param open is called when a command is to be run, not for its help; told whether a new embedded database
 * may be made.
 * @returns the exit code: 0 done, 1 it could not be done, 2 it was typed wrongly.
 */
export async function run(
  argv: readonly string[],
  terminal: Terminal,
  open: (makeEmbedded: boolean) => Promise<OpenDesk>,
): Promise<number> {
  const { stdout, stderr } = terminal;
  try {
    const command = commands.find(({ name }) => name.split(' ').every((word, at) => argv[at] === word));
    if (command === undefined) return printOverview(argv, terminal);
    const { json, help, embedded, args, values } = read(command, argv.slice(command.name.split(' ').length));
    if (help) {
      stdout.write(`${helpOf(command)}\n`);
      return 0;
    }
    checkArguments(command, args, values);
    const output = await carryOut(command, args, values, terminalOf(terminal), () => open(embedded));
    stdout.write(`${json ? JSON.stringify(output.json, undefined, 2) : output.text}\n`);
    return output.exitCode ?? 0;
  } catch (error) {
    stderr.write(`${explain(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function carryOut(
  command: Command | LooseCommand,
  args: readonly string[],
  values: Values,
  terminal: Terminal,
  open: () => Promise<OpenDesk>,
): Promise<Output> {
  if ('runLoose' in command) return command.runLoose(terminal, args, values);
  await using desk = await open();
  return await command.run({ ...desk, ...terminal }, args, values);
}

/** Three streams and nothing else: the whole process must not reach a command. */
const terminalOf = ({ stdin, stdout, stderr }: Terminal): Terminal => ({ stdin, stdout, stderr });

function printOverview(argv: readonly string[], { stdout, stderr }: Terminal): number {
  const [first] = argv;
  const group = commands.some(({ name }) => name.startsWith(`${first} `)) ? first : undefined;
  const asked = argv.length === 0 || argv.includes('--help') || argv.includes('-h') || first === 'help';
  const typed = argv.filter((word) => !word.startsWith('-')).slice(0, 2);
  if (!asked) stderr.write(`There is no command ${typed.join(' ')}.\n\n`);
  (asked ? stdout : stderr).write(`${overview(commands, group)}\n`);
  return asked ? 0 : 2;
}

function read(command: Described, argv: string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, option]) => [
      name,
      { type: option.type, multiple: option.type === 'string' && option.multiple === true },
    ]),
  );
  try {
    const parsed = parseArgs({
      args: argv,
      options: {
        ...options,
        json: { type: 'boolean' },
        embedded: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    });
    const { json, help, embedded, ...values } = parsed.values as Values;
    const given = { json: json === true, help: help === true, embedded: embedded === true };
    return { ...given, args: parsed.positionals, values };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nUsage: ${usageOf(command)} [options]`);
  }
}

function checkArguments(command: Described, args: readonly string[], values: Values): void {
  const needed = command.arguments.filter((name) => !name.endsWith('?')).length;
  const missing = Object.entries(command.options).filter(
    ([name, option]) => option.type === 'string' && option.required === true && !values[name],
  );
  if (args.length >= needed && args.length <= command.arguments.length && missing.length === 0) return;
  throw new UsageError(helpOf(command));
}

/** What to do about it, for whoever typed the command. A driver's message quotes SQL and rows: only its own words are shown. */
function explain(error: unknown): string {
  if (error instanceof UsageError || error instanceof CommandError || error instanceof EmbeddedInUse)
    return error.message;
  if (error instanceof ConfigError) return `The settings are wrong:\n${error.message}`;
  if (asUnavailable(error) instanceof Unavailable) return `The database does not answer (${sqlState(error)})`;
  if (sqlState(error) === '23505') return `It exists already: ${driverMessage(error)}`;
  if (sqlState(error) !== undefined) return `The database refused it: ${driverMessage(error)}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function driverMessage(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return (at as Error).message;
}
