import { readFile, writeFile } from 'node:fs/promises';
import { GraphQLOneOfDirective, lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from './execute/schema.ts';

/* Writes schema/schema.graphql for review. With --check, it only reports whether that file is up to date. */

const file = new URL('../../schema/schema.graphql', import.meta.url);
// graphql-js does not print built-in directives. Tools that do not know this one yet need its definition.
const locations = GraphQLOneOfDirective.locations.join(' | ');
const oneOf = `"""${GraphQLOneOfDirective.description}"""\ndirective @oneOf on ${locations}`;
/**
 * The text that schema/schema.graphql must have: the printed schema, sorted by name. If this file is run as a
 * program, it writes that file; with `--check` it writes nothing, and exits with 1 when the file differs.
 */
export const printed = `${printSchema(lexicographicSortSchema(schema))}\n\n${oneOf}\n`;

if (import.meta.main) {
  if (!process.argv.includes('--check')) await writeFile(file, printed);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== printed) {
    process.stderr.write('schema/schema.graphql is stale: run "npm run schema" and review what changed\n');
    process.exitCode = 1;
  }
}
