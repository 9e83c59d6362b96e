import { readdir, readFile, writeFile } from 'node:fs/promises';
import { codegen } from '@graphql-codegen/core';
import * as operations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';

/*
 * `npm run codegen` types the legacy door's stored operations: their variables and their results. With
 * `--check` it compares, and fails if the file is stale.
 *
 * It calls the core of GraphQL Code Generator: the CLI brings loaders and watchers, 240 packages and 80 MB, for
 * one schema file and two documents.
 */

const schemaFile = new URL('schema/schema.graphql', import.meta.url);
const documentsFolder = new URL('schema/operations/', import.meta.url);
const generatedFile = new URL('src/legacy/operations.generated.ts', import.meta.url);

const config = {
  enumType: 'string-literal',
  immutableTypes: true,
  useTypeImports: true,
  scalars: {
    Upload: { input: '../platform/incoming-file.ts#IncomingFile', output: 'never' },
    DateTime: 'string',
  },
} satisfies operations.TypeScriptDocumentsPluginConfig;

type DocumentFile = Parameters<typeof codegen>[0]['documents'][number];

async function readDocuments(): Promise<DocumentFile[]> {
  const names = (await readdir(documentsFolder)).filter((name) => name.endsWith('.graphql')).sort();
  return Promise.all(
    names.map(async (location) => {
      const rawSDL = await readFile(new URL(location, documentsFolder), 'utf8');
      return { location, rawSDL, document: parse(rawSDL) };
    }),
  );
}

const generated = await codegen({
  filename: generatedFile.pathname,
  schema: parse(await readFile(schemaFile, 'utf8')),
  documents: await readDocuments(),
  plugins: [{ 'typescript-operations': {} }],
  pluginMap: { 'typescript-operations': operations },
  config,
});

if (!process.argv.includes('--check')) await writeFile(generatedFile, generated);
else if ((await readFile(generatedFile, 'utf8').catch(() => '')) !== generated) {
  process.stderr.write('src/legacy/operations.generated.ts is stale: run "npm run codegen"\n');
  process.exitCode = 1;
}
