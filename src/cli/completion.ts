import type { CommandInfo } from './command.ts';

/** The shells that `completion SHELL` writes for. */
export const shells = ['bash', 'zsh', 'fish'] as const;
/** A shell that commands can be completed in. */
export type Shell = (typeof shells)[number];

/** How this program is started from any folder. */
export interface Program {
  /** Path of Node's executable. */
  readonly node: string;
  /** Path of the file that Node runs. */
  readonly file: string;
  /** The folder in which `npm start` keeps its embedded database, for shells that do not set DATA_DIR. */
  readonly dataDir: string;
}

/**
 * Writes a shell script that defines `ticketwire` as a function of the shell and completes its commands and
 * options. All of them are in the script: a Tab starts no program.
 * @returns the text of the script, for `eval` (in fish: `source`)
 */
export function completionScript(shell: Shell, commands: readonly CommandInfo[], program: Program): string {
  const start = `${quoted(program.node)} ${quoted(program.file)}`;
  const dataDir = quoted(program.dataDir);
  if (shell === 'fish')
    return fishScript(commands, `set -q DATA_DIR; or set -lx DATA_DIR ${dataDir}; ${start}`);
  const load = shell === 'zsh' ? zshLoad : '';
  return `ticketwire() { DATA_DIR=\${DATA_DIR:-${dataDir}} ${start} "$@"; }\n${load}${bashScript(commands)}`;
}

/** bashcompinit needs compinit, which a zsh without settings of its own has not run. */
const zshLoad = [
  '(( $+functions[compdef] )) || { autoload -U compinit && compinit -i }',
  'autoload -U +X bashcompinit && bashcompinit',
  '',
].join('\n');

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const flagsOf = ({ options }: CommandInfo): string[] => [
  ...Object.keys(options).map((name) => `--${name}`),
  '--json',
  '--help',
];
const takesFile = ({ arguments: [first], options }: CommandInfo): boolean =>
  first === 'FILE' || 'file' in options;

/** The words that may follow those which were typed: groups, then a group's commands. */
function nextWords(commands: readonly CommandInfo[]): Map<string, Set<string>> {
  const next = new Map<string, Set<string>>();
  for (const { name } of commands) {
    const words = name.split(' ');
    for (const [at, word] of words.entries()) {
      const before = words.slice(0, at).join(' ');
      next.set(before, (next.get(before) ?? new Set()).add(word));
    }
  }
  return next;
}

function bashScript(commands: readonly CommandInfo[]): string {
  const ofCommands = commands.map(
    (command) =>
      `    ${quoted(command.name)}|${quoted(`${command.name} `)}*) ` +
      `list=${quoted(flagsOf(command).join(' '))}; files=${takesFile(command) ? 1 : ''} ;;`,
  );
  const ofGroups = [...nextWords(commands)]
    .filter(([before]) => !commands.some(({ name }) => name === before))
    .map(([before, words]) => `    ${quoted(before)}) list=${quoted([...words].join(' '))} ;;`);
  return `_ticketwire() {
  local current="\${COMP_WORDS[COMP_CWORD]}" typed="\${COMP_WORDS[*]:1:COMP_CWORD-1}" list= files=
  case "$typed" in
${[...ofGroups, ...ofCommands].join('\n')}
  esac
  COMPREPLY=($(compgen -W "$list" -- "$current"))
  if [ -n "$files" ] && [ "\${current#-}" = "$current" ]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _ticketwire ticketwire`;
}

function fishScript(commands: readonly CommandInfo[], start: string): string {
  const lines = [`function ticketwire; ${start} $argv; end`, 'complete -c ticketwire -f'];
  const condition = (typed: string) => {
    const words = typed.split(' ');
    return words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
  };
  for (const [before, words] of nextWords(commands)) {
    const when = before === '' ? '__fish_use_subcommand' : condition(before);
    lines.push(`complete -c ticketwire -n ${quoted(when)} -a ${quoted([...words].join(' '))}`);
  }
  for (const command of commands) {
    const when = quoted(condition(command.name));
    for (const [name, { help }] of Object.entries(command.options))
      lines.push(`complete -c ticketwire -n ${when} -l ${name} -d ${quoted(help)}`);
    if (takesFile(command)) lines.push(`complete -c ticketwire -n ${when} -F`);
  }
  return lines.join('\n');
}
