import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { drawGraphql } from './trace/drawing.ts';

/*
 * Who may import whom, by the folders of src; downward only. Floor 0 is the files of src itself that everybody knows. Biome says
 * the same in the editor where it can; this says it whole.
 */
const floors: Record<string, readonly string[]> = {
  'floor 0': [],
  db: [],
  content: [],
  storage: ['db'],
  events: ['db'],
  auth: ['db'],
  scan: ['db', 'storage', 'events'],
  mail: ['db', 'storage', 'content', 'events'],
  tickets: ['db', 'storage', 'content', 'events', 'mail'],
  graphql: ['content', 'tickets'],
  http: ['auth', 'content', 'storage', 'tickets', 'mail', 'db', 'explorer'],
  rest: ['graphql'],
  explorer: [],
  import: ['db', 'mail', 'auth'],
  demo: ['import', 'db'],
  cli: ['auth', 'db', 'import', 'mail', 'rest', 'demo', 'tickets', 'storage'],
};
/** Files of src that join the floors; nobody imports them but one another. */
const joins = new Set(['app.ts', 'main.ts', 'start.ts', 'welcome.ts', 'demo.ts']);
/** Whatever sends mail stands beside the domain, which knows the ledger but not the worker. */
const forbidden: readonly (readonly [from: string, to: RegExp, why: string])[] = [
  [
    'tickets',
    /^mail\/(worker|transport|pool|session|inbox)/,
    'the domain writes deliveries; it does not send',
  ],
  ['http', /^db\/(?!database\.ts$)/, 'pages ask the domain or a store, not tables'],
];

const src = fileURLToPath(new URL('../src', import.meta.url));
const floorOf = (file: string): string => {
  const [folder, rest] = relative(src, file).split(/[\\/]/);
  if (rest !== undefined) return folder!;
  return joins.has(folder!) ? 'joins' : 'floor 0';
};

function violations(files: Iterable<readonly [file: string, text: string]>): string[] {
  const found: string[] = [];
  for (const [file, text] of files) {
    const from = floorOf(file);
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const target = resolve(dirname(file), specifier!);
      const to = floorOf(target);
      const name = `${relative(src, file)} -> ${relative(src, target)}`;
      if (to === 'joins' && from !== 'joins' && !(from === 'cli' && target.endsWith('demo.ts')))
        found.push(`${name}: nobody imports what joins`);
      if (from === 'joins' || to === from || to === 'floor 0' || to === 'joins') continue;
      if (floors[from] === undefined) found.push(`${name}: ${from} has no floor; give it one`);
      else if (!floors[from].includes(to))
        found.push(`${name}: ${from} may import ${floors[from].join(', ') || 'floor 0'} only`);
      for (const [folder, path, why] of forbidden) {
        if (from === folder && path.test(relative(src, target).replaceAll('\\', '/')))
          found.push(`${name}: ${why}`);
      }
    }
  }
  return found;
}

function* sources(): Iterable<readonly [string, string]> {
  for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && /\.tsx?$/.test(file)) yield [file, readFileSync(file, 'utf8')];
  }
}

it('every import goes down a floor', () => {
  expect(violations(sources())).toEqual([]);
});

it('an import that goes up is caught', () => {
  const planted = (file: string, to: string) => violations([[join(src, file), `import { x } from '${to}';`]]);
  expect(planted('tickets/planted.ts', '../graphql/builder.ts')).toHaveLength(1);
  expect(planted('rest/planted.ts', '../tickets/add-message.ts')).toHaveLength(1);
  expect(planted('graphql/planted.ts', '../db/tables.ts')).toHaveLength(1);
  expect(planted('mail/planted.ts', '../tickets/ticket.ts')).toHaveLength(1);
  expect(planted('tickets/planted.ts', '../mail/worker.ts')).toHaveLength(1);
  expect(planted('errors.ts', './app.ts')).toHaveLength(1);
});

it('nothing in src/graphql leads back to itself, types included', () => {
  expect(drawGraphql().circle).toBeUndefined();
});

it('main.ts and the command line alone read the environment', () => {
  const readers = [...sources()]
    .filter(([, text]) => /process\.env\b/.test(text))
    .map(([file]) => relative(src, file));
  // embedded/cluster.ts hands PATH on to the programs that it starts.
  const allowed = /^(main\.ts|cli\/|explorer\/|db\/embedded\/cluster\.ts)/;
  expect(readers.filter((file) => !allowed.test(file.replaceAll('\\', '/')))).toEqual([]);
});
