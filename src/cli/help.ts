import type { CommandInfo, Option } from './command.ts';

const common = {
  embedded: 'create an embedded database in DATA_DIR if there is none',
  json: 'print JSON',
  help: 'print this help',
};

const usage = ({ name, arguments: args }: CommandInfo) =>
  [name, ...args.map((arg) => (arg.endsWith('?') ? `[${arg.slice(0, -1)}]` : arg))].join(' ');

/** One line: the command, its arguments (optional ones in brackets), and the options that are required. */
export function usageOf(command: CommandInfo): string {
  const required = Object.entries(command.options).flatMap(([name, option]) =>
    option.type === 'string' && option.required === true ? [`--${name} ${option.value}`] : [],
  );
  return ['ticketwire', usage(command), ...required].join(' ');
}

/** The text that `COMMAND --help` prints: summary, details, usage, options and an example. */
export function helpOf(command: CommandInfo): string {
  const flag = (name: string, option: Option) =>
    option.type === 'string'
      ? `${option.short === undefined ? '' : `-${option.short}, `}--${name} ${option.value}`
      : `--${name}`;
  const options = [
    ...Object.entries(command.options).map(([name, option]) => [flag(name, option), option.help] as const),
    ...Object.entries(common)
      .filter(([name]) => name !== 'embedded' || !('runLoose' in command))
      .map(([name, help]) => [`--${name}`, help] as const),
  ];
  return [
    `${command.summary}.`,
    ...(command.details === undefined ? [] : [command.details]),
    '',
    `Usage: ${usageOf(command)} [options]`,
    '',
    ...columns(options),
    '',
    `Example: ticketwire ${command.example}`,
  ].join('\n');
}

/**
 * The list of commands that `--help` prints.
 * @param group first word of the commands to list; all if absent
 */
export function overview(commands: readonly CommandInfo[], group?: string): string {
  const listed = commands.filter(({ name }) => group === undefined || name.split(' ')[0] === group);
  return [
    'Usage: npm run -s ticketwire -- COMMAND [options]',
    '',
    ...columns(listed.map((command) => [usage(command), command.summary] as const)),
    '',
    'COMMAND --help shows its options and an example, --json prints JSON, --version prints the version.',
    '`eval "$(npm run -s ticketwire -- completion bash)"` makes `ticketwire` a command of this shell, with',
    'completion by Tab; likewise zsh. In fish: npm run -s ticketwire -- completion fish | source',
    'message, attachment, delivery, events, ticket close and ticket open call a running gateway, see',
    'TICKETWIRE_URL and TICKETWIRE_TOKEN. All others use the database directly: that of',
    'DATABASE_URL, or the embedded one in DATA_DIR (.data), whether its gateway runs or not. stderr says',
    'which. A new embedded database is created only with --embedded.',
  ].join('\n');
}

function columns(lines: readonly (readonly [string, string])[]): string[] {
  const widest = Math.min(40, Math.max(...lines.map(([left]) => left.length)));
  return lines.map(([left, right]) => `  ${left.padEnd(widest)}  ${right}`);
}
