import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/* Who imports whom in src/graphql, types included, by its folders. */

const root = fileURLToPath(new URL('../../src/graphql/', import.meta.url));

function readImports(): Map<string, string[]> {
  const imports = new Map<string, string[]>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !file.endsWith('.ts')) continue;
    const found = readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
    const targets = [...found].map(([, to]) => resolve(dirname(file), to!));
    imports.set(
      file,
      targets.filter((to) => to.startsWith(root)),
    );
  }
  return imports;
}

/** The files of a circle, or none. */
function findCircle(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (file: string): string[] | undefined => {
    const at = way.indexOf(file);
    if (at >= 0) return [...way.slice(at), file];
    if (done.has(file)) return undefined;
    way.push(file);
    for (const to of imports.get(file) ?? []) {
      const circle = visit(to);
      if (circle !== undefined) return circle;
    }
    way.pop();
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = visit(file);
    if (circle !== undefined) return circle.map((each) => relative(root, each));
  }
  return undefined;
}

/** The folders of src/graphql with what each imports of the others, a line each; and a circle of files, if there is one. */
export function drawGraphql(): { readonly lines: string[]; readonly circle: string[] | undefined } {
  const imports = readImports();
  const folderOf = (file: string) => relative(root, dirname(file)).split(/[\\/]/)[0] || 'graphql';
  const edges = new Map<string, Map<string, number>>();
  const sizes = new Map<string, number>();
  for (const [file, targets] of imports) {
    const from = folderOf(file);
    sizes.set(from, (sizes.get(from) ?? 0) + 1);
    const own = edges.get(from) ?? new Map<string, number>();
    edges.set(from, own);
    for (const to of targets.map(folderOf)) if (to !== from) own.set(to, (own.get(to) ?? 0) + 1);
  }
  const lines = [...edges].map(([from, to]) => {
    const others = [...to].map(([name, count]) => `${name} (${count})`).join(', ');
    return `${from}, ${sizes.get(from)} files → ${others || 'nothing'}`;
  });
  return { lines, circle: findCircle(imports) };
}
