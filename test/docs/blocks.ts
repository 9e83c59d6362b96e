import { readdir, readFile } from 'node:fs/promises';

const root = new URL('../../', import.meta.url);

/** What people read, by its path from the root. */
export async function readDocuments(): Promise<{ path: string; text: string }[]> {
  const inDocs = (await readdir(new URL('docs', root))).filter((name) => name.endsWith('.md'));
  const inExamples = await readdir(new URL('examples', root), { recursive: true });
  const paths = [
    ...['README.md', 'CONTRIBUTING.md'],
    ...inDocs.sort().map((name) => `docs/${name}`),
    ...inExamples
      .filter((name) => name.endsWith('README.md') && !name.includes('node_modules'))
      .sort()
      .map((name) => `examples/${name}`),
  ];
  return Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(new URL(path, root), 'utf8') })),
  );
}

/** The fenced blocks of a language, without the indentation of a list that they are in. */
export function blocksOf(text: string, language: string): string[] {
  const blocks = text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^ *```$/gm);
  return [...blocks]
    .filter(([, , named]) => named === language)
    .map(([, indent, , body]) => body!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}

/** The commands of a shell block, each with the lines that continue it. Comment lines are left out. */
export function commandsOf(block: string): string[] {
  const whole = block.replaceAll(/\\\n\s*/g, ' ');
  return whole.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
}

/** A command's words as a shell reads them: quotes, and a comment at the end. */
export function wordsOf(command: string): string[] {
  const words = command.matchAll(/(?:^|(?<=\s))(?:#.*|(?:"[^"]*"|'[^']*'|[^\s"'])+)/g);
  return [...words].map(([word]) => word.replaceAll(/["']/g, '')).filter((word) => !word.startsWith('#'));
}
