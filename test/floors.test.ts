import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

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
  import: ['db', 'mail', 'auth', 'content'],
  demo: ['import', 'db'],
  cli: ['auth', 'db', 'import', 'mail', 'rest', 'demo', 'tickets', 'storage', 'scan'],
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

/** Every file that a text imports, types included. */
const importsOf = (file: string, text: string): string[] =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, to]) => resolve(dirname(file), to!));

function violations(files: Iterable<readonly [file: string, text: string]>): string[] {
  const found: string[] = [];
  for (const [file, text] of files) {
    const from = floorOf(file);
    for (const target of importsOf(file, text)) {
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

/** Groups of files that import each other, by way of others or not, each with its files in alphabetical order. */
function circles(files: Iterable<readonly [file: string, text: string]>): string[] {
  const imports = new Map([...files].map(([file, text]) => [file, importsOf(file, text)]));
  const reached = new Map<string, Set<string>>();
  for (const file of imports.keys()) {
    const seen = new Set<string>();
    const left = [...imports.get(file)!];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      left.push(...(imports.get(next) ?? []));
    }
    reached.set(file, seen);
  }
  const groups = [...reached].flatMap(([file, seen]) =>
    seen.has(file) ? [[...seen].filter((other) => reached.get(other)?.has(file)).sort()] : [],
  );
  return [...new Set(groups.map((group) => group.map((file) => relative(src, file)).join(' <-> ')))];
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

it('no file imports itself by way of others, for a type neither', () => {
  expect(circles(sources())).toEqual([]);
});

it('a circle is caught', () => {
  const planted = (name: string, to: string) =>
    [join(src, name), `import type { X } from './${to}';`] as const;
  expect(circles([planted('a.ts', 'b.ts'), planted('b.ts', 'c.ts'), planted('c.ts', 'a.ts')])).toEqual([
    'a.ts <-> b.ts <-> c.ts',
  ]);
  expect(circles([planted('a.ts', 'b.ts'), planted('b.ts', 'c.ts')])).toEqual([]);
});

it('main.ts and the command line alone read the environment', () => {
  const readers = [...sources()]
    .filter(([, text]) => /process\.env\b/.test(text))
    .map(([file]) => relative(src, file));
  // embedded/cluster.ts hands PATH on to the programs that it starts.
  const allowed = /^(main\.ts|cli\/|explorer\/|db\/embedded\/cluster\.ts)/;
  expect(readers.filter((file) => !allowed.test(file.replaceAll('\\', '/')))).toEqual([]);
});
