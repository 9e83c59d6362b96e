import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Generated files, which nobody reads line by line. */
const generated = /\.generated\.ts$|(^|\/)graphql-env\.d\.ts$|(^|\/)(node_modules|dist|\.made|\.data)\//;

/** A file of ours: its path from the root, with slashes, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Every file below a folder whose name ends in one of `endings`, in order of path. */
export function sourcesBelow(folder: string, endings = /\.tsx?$/): Source[] {
  const found: Source[] = [];
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
    const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (!entry.isFile() || !endings.test(path) || generated.test(path)) continue;
    found.push({ path, text: readFileSync(join(root, path), 'utf8') });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What people write and read line by line, in whichever language. */
const written =
  /\.(?:tsx?|m?js|css|sql|graphql|ya?ml|conf|ini|service|py|rb|pl|php|java|cs|cmd)$|file$|\/run$/;
/** Printed by a program, or applied to databases already and so never changed. */
const unchanging = /^schema\/(?:schema\.graphql$|migrations\/)/;
/** Columns of a line, at most. */
const widest = 110;

/** Every line of the repository that is too wide, as `path:line`. */
export function wideLines(): string[] {
  const below = ['src', 'test', 'examples', 'schema', 'docs', '.ci'].flatMap((folder) =>
    sourcesBelow(folder, written),
  );
  const atRoot = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && written.test(entry.name))
    .map(({ name }) => ({ path: name, text: readFileSync(join(root, name), 'utf8') }));
  return [...atRoot, ...below]
    .filter(({ path }) => !unchanging.test(path))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, at) => (line.length > widest ? [`${path}:${at + 1}`] : [])),
    );
}

/** Files that a file imports, types and dynamic imports included; packages are left out. */
export function importsOf({ path, text }: Source): string[] {
  const specifiers = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.{1,2}\/[^'?]+)'/g);
  const targets = [...specifiers].map(([, specifier]) => posix.join(dirname(path), specifier!));
  return [...new Set(targets)];
}

/** A function's name, its first line, and its number of lines without those of nested functions. */
export interface Measured {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** Every function of a file, methods and arrows included, in the order of the text. */
export function functionsOf({ path, text }: Source): Measured[] {
  const lang = path.endsWith('x') ? 'tsx' : 'ts';
  const lines = new Uint32Array(text.length + 1);
  for (let at = 0, line = 1; at <= text.length; at += 1) {
    lines[at] = line;
    if (text[at] === '\n') line += 1;
  }
  const lineAt = (offset: number) => lines[offset]!;
  const found: Measured[] = [];
  /** Gives how many lines of the node are taken by functions in it, itself included. */
  const visit = (node: Node, outer: string): number => {
    const name = nameOf(node) ?? outer;
    let taken = 0;
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value])
        if (isNode(child)) taken += visit(child, name);
    }
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return taken;
    const line = lineAt(node.start);
    // The line where a function in it begins is a line of the outer one as well.
    const span = lineAt(node.end) - line;
    found.push({ name, line, lines: span + 1 - taken });
    return span;
  };
  visit(parseAst(text, { lang }, path) as unknown as Node, '');
  return found.sort((a, b) => a.line - b.line);
}

/** The name that a declaration, property or method gives to what is in it. */
function nameOf(node: Node): string | undefined {
  const { id, key } = node as { id?: { name?: string } | null; key?: { name?: string } };
  return id?.name ?? key?.name;
}

/**
 * Circles of imports: lists of files of which each reaches every other (Tarjan's strongly connected
 * components).
 */
export function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const next of imports.get(file) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, low.get(next)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1 || imports.get(file)?.includes(file)) circles.push(circle.sort());
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return circles;
}
