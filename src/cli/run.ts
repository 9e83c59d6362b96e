import { fileURLToPath } from 'node:url';
import { nearest } from '../settings/edit-distance.ts';
import {
  type Command,
  type Environment,
  type LooseCommand,
  type Output,
  type Terminal,
  UsageError,
} from './command.ts';
import { completionScript, shells } from './completion.ts';
import { explain } from './explain-error.ts';
import { helpOf, overview } from './help.ts';
import { type Commands, loadCommands } from './load-commands.ts';
import type { OpenDesk } from './open-desk.ts';
import { nothing } from './output.ts';
import { checkComplete, type ParsedArguments, parse } from './parse-arguments.ts';
import { readVersion } from './version.ts';

/** What the process provides besides its streams. */
export interface Host {
  readonly env: Environment;
  /** Opens the database for a command that needs one; `makeEmbedded` allows creating an embedded one. */
  open(makeEmbedded: boolean): Promise<OpenDesk>;
  /**
   * Returns a signal that is aborted when the user or the system asks the program to end. Without it, no
   * command is interrupted.
   */
  readonly whenInterrupted?: () => AbortSignal;
}

/**
 * Runs the command line: finds the command (or `help`, `--version` and `completion`), and prints its result
 * on stdout or its error on stderr. Never rejects, and does not end the process.
 * @param words the arguments after the program's name
 * @returns the exit code: 0 success, 1 failure, 2 invalid arguments, or one that the command chose
 */
export async function run(words: readonly string[], terminal: Terminal, host: Host): Promise<number> {
  const { stdout, stderr } = terminal;
  // `help user add` asks what `user add --help` does.
  const argv = words[0] === 'help' ? [...words.slice(1), '--help'] : words;
  try {
    // Node puts U+FFFD in the place of what is not UTF-8, so the command would store something else.
    if (argv.some((word) => word.includes('\ufffd')))
      throw new UsageError('An argument is not UTF-8: it contains what is read as U+FFFD.');
    if (argv[0] === '--version' || argv[0] === '-v') {
      stdout.write(`ticketwire ${await readVersion()}\n`);
      return 0;
    }
    if (argv[0] === 'completion') return printCompletion(argv[1], await loadCommands(undefined), terminal);
    const commands = await loadCommands(argv[0]);
    const command = commands.find(({ name }) => name.split(' ').every((word, at) => argv[at] === word));
    if (command === undefined) return printOverview(commands, argv, terminal);
    const typed = parse(command, argv.slice(command.name.split(' ').length));
    if (typed.help) {
      stdout.write(`${helpOf(command)}\n`);
      return 0;
    }
    checkComplete(command, typed);
    const output = await carryOut(command, typed, terminal, host);
    if (output !== nothing)
      stdout.write(`${typed.json ? JSON.stringify(output.json, undefined, 2) : textFor(stdout, output)}
`);
    return output.exitCode ?? 0;
  } catch (error) {
    stderr.write(`${explain(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

const own = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const program = { node: process.execPath, file: own('main.ts'), dataDir: own('../../.data') };

/** A pipe gets the whole text, a terminal what fits its width. */
function textFor({ isTTY, columns }: Terminal['stdout'], { text, narrow, piped }: Output): string {
  if (!isTTY) return piped ?? text;
  return columns === undefined ? text : (narrow?.(columns) ?? text);
}

function printCompletion(shell: string | undefined, commands: Commands, { stdout }: Terminal): number {
  const known = shells.find((name) => name === shell);
  if (known === undefined)
    throw new UsageError(`completion takes one of ${shells.join(', ')}: eval "$(… completion bash)"`);
  stdout.write(`${completionScript(known, commands, program)}\n`);
  return 0;
}

async function carryOut(
  command: Command | LooseCommand,
  { args, values, embedded }: ParsedArguments,
  { stdin, stdout, stderr }: Terminal,
  host: Host,
): Promise<Output> {
  // Commands receive the three streams, not the whole process.
  const terminal = { stdin, stdout, stderr };
  const { env, whenInterrupted = () => new AbortController().signal } = host;
  if ('runLoose' in command) return command.runLoose({ ...terminal, env, whenInterrupted }, args, values);
  await using desk = await host.open(embedded);
  return await command.run({ ...desk, ...terminal }, args, values);
}

function printOverview(commands: Commands, argv: readonly string[], { stdout, stderr }: Terminal): number {
  const [first] = argv;
  const asked = argv.length === 0 || argv.includes('--help') || argv.includes('-h');
  if (asked) {
    const group = commands.some(({ name }) => name.startsWith(`${first} `)) ? first : undefined;
    stdout.write(`${overview(commands, group)}\n`);
    return 0;
  }
  const typed = argv.filter((word) => !word.startsWith('-')).slice(0, 2);
  const groups = [...new Set(commands.map(({ name }) => firstWord(name)))];
  const near =
    nearest(
      typed.join(' '),
      commands.map(({ name }) => name),
    ) ?? nearest(first!, groups);
  const group = groups.includes(first!) ? first : near && firstWord(near);
  const question = near === undefined || near === first ? '' : `Did you mean \`${near}\`? `;
  const says = commands.some(({ name }) => name === group) ? 'describes it' : 'lists the commands';
  const help = `\`ticketwire ${group === undefined ? '' : `${group} `}--help\` ${says}.`;
  stderr.write(`There is no command ${typed.join(' ') || first}. ${question}${help}\n`);
  return 2;
}

const firstWord = (name: string): string => name.split(' ')[0]!;
