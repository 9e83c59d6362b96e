import { readFile, writeFile } from 'node:fs/promises';
import { type Description, descriptions, sections } from './descriptions.ts';
import { MiB, readEnvironment, type Settings } from './environment.ts';

/* Writes the tables of settings: all in docs/SETTINGS.md, the first ones in README.md. */

const root = new URL('../../', import.meta.url);
const begin = '<!-- npm run settings writes this table -->';
const end = '<!-- end of the table -->';
const files: Readonly<Record<string, () => string>> = {
  'README.md': () =>
    table(Object.entries(descriptions).filter(([, { isFirst }]) => isFirst)).replaceAll(
      '](#',
      '](docs/SETTINGS.md#',
    ),
  'docs/SETTINGS.md': () =>
    Object.entries(sections)
      .map(([title, section]) => `## ${title}\n\n${table(Object.entries(section))}`)
      .join('\n\n'),
};

/**
 * Reads the files that contain tables of settings, README.md and docs/SETTINGS.md, and makes the text that
 * they should have. Writes nothing; running this module as a program does.
 * @returns for each file its path in the repository, its present text and the wanted one
 * @throws Error when a file does not have the place for its table
 */
export async function settingsDocuments(): Promise<{ path: string; now: string; wanted: string }[]> {
  return Promise.all(
    Object.entries(files).map(async ([path, write]) => {
      const now = await readFile(new URL(path, root), 'utf8');
      const [before, rest] = now.split(begin);
      const after = rest?.split(end)[1];
      if (after === undefined) throw new Error(`${path} has no place for the settings: ${begin} … ${end}`);
      return { path, now, wanted: `${before}${begin}\n\n${write()}\n\n${end}${after}` };
    }),
  );
}

function table(rows: readonly (readonly [string, Description])[]): string {
  const lines = rows.map(([name, description]) => {
    const otherwise = description.unset ?? defaultOf(name);
    return `| \`${name}\` | ${description.about} | ${otherwise} |`;
  });
  return ['| setting | what it does | default |', '|---|---|---|', ...lines].join('\n');
}

function defaultOf(name: string): string {
  const value = readEnvironment({}).settings[name as keyof Settings];
  if (value instanceof Set) return value.size === 0 ? 'none' : `\`${[...value].join(',')}\``;
  if (typeof value !== 'number') return value === undefined ? 'none' : `\`${value}\``;
  if (/BYTES$/.test(name) && value % MiB === 0) return `${value.toLocaleString('en')} (${value / MiB} MiB)`;
  return value < 10_000 ? String(value) : value.toLocaleString('en');
}

if (import.meta.main) {
  for (const { path, wanted } of await settingsDocuments()) await writeFile(new URL(path, root), wanted);
}
