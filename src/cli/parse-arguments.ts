import { parseArgs } from 'node:util';
import { nearest } from '../settings/edit-distance.ts';
import { type CommandInfo, type Option, type OptionValues, UsageError } from './command.ts';
import { usageOf } from './help.ts';

/** The arguments after a command's name. */
export interface ParsedArguments {
  /** Positional arguments in order. */
  readonly args: readonly string[];
  /** The command's own options, without the three that every command has. */
  readonly values: OptionValues;
  /** Whether `--json` was given. */
  readonly json: boolean;
  /** Whether `--help` or `-h` was given. */
  readonly help: boolean;
  /** Whether `--embedded` was given. */
  readonly embedded: boolean;
}

const common: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', help: '' },
  help: { type: 'boolean', help: '' },
  embedded: { type: 'boolean', help: '' },
};

/**
 * Parses the arguments after a command's name. Whether all that are required were given is left to
 * {@link checkComplete}, so that `--help` works without them.
 * @throws UsageError with the usage for the first unknown option, missing value or value of a boolean option
 */
export function parse(command: CommandInfo, argv: string[]): ParsedArguments {
  const options = { ...command.options, ...common };
  const { tokens } = parseArgs({
    args: argv,
    options: Object.fromEntries(
      Object.entries(options).map(([name, option]) => [
        name,
        { type: option.type, ...shortOf(name, option), multiple: isMultiple(option) },
      ]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values: Record<string, string | boolean | string[]> = {};
  const args: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') args.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    const mistake = mistakeIn(token, option, options);
    if (mistake !== undefined) throw usageError(command, mistake);
    if (option!.type === 'boolean') values[token.name] = true;
    else if (!isMultiple(option!)) values[token.name] = token.value!;
    else values[token.name] = [...((values[token.name] as string[] | undefined) ?? []), token.value!];
  }
  const { json, help, embedded, ...rest } = values;
  return { args, values: rest, json: json === true, help: help === true, embedded: embedded === true };
}

/**
 * Checks that all required arguments and options were given.
 * @throws UsageError with the usage when one is missing, a required option is empty, or an argument is
 *   superfluous
 */
export function checkComplete(command: CommandInfo, { args, values }: ParsedArguments): void {
  const missing = command.arguments.find((name, at) => at >= args.length && !name.endsWith('?'));
  if (missing !== undefined) throw usageError(command, `${missing} is missing.`);
  for (const [name, option] of Object.entries(command.options)) {
    if (option.type === 'string' && option.required === true && !values[name])
      throw usageError(command, `--${name} ${option.value} is missing: ${option.help}.`);
  }
  const extra = args[command.arguments.length];
  if (extra !== undefined)
    throw usageError(command, `Unexpected argument "${extra}"; put quotes around a value with spaces.`);
}

const isMultiple = (option: Option): boolean => option.type === 'string' && option.multiple === true;
const shortOf = (name: string, option: Option) => {
  const letter = name === 'help' ? 'h' : option.type === 'string' ? option.short : undefined;
  return letter === undefined ? {} : { short: letter };
};

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function mistakeIn(
  { name, rawName, value, inlineValue }: OptionToken,
  option: Option | undefined,
  options: Readonly<Record<string, Option>>,
): string | undefined {
  if (option === undefined) {
    const meant = nearest(name, Object.keys(options));
    return `There is no option ${rawName}${meant === undefined ? '' : `; did you mean --${meant}?`}`;
  }
  if (option.type === 'boolean') return value === undefined ? undefined : `${rawName} takes no value.`;
  const isOption =
    inlineValue === false && /^--./.test(value ?? '') && Object.hasOwn(options, value!.slice(2));
  return value === undefined || isOption ? `${rawName} needs a value: ${rawName} ${option.value}` : undefined;
}

const usageError = (command: CommandInfo, what: string): UsageError =>
  new UsageError(
    `${what}\nUsage: ${usageOf(command)} [options]\n\`ticketwire ${command.name} --help\` shows its options.`,
  );
