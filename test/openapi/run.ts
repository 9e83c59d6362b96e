import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/*
 * Reads schema/openapi.yaml with the tools that others use: lints it by Spectral's rules for OpenAPI, makes
 * types of it, and compiles what a client would write with them. The tools are installed by `npm ci --prefix
 * test/openapi`.
 */
const folder = fileURLToPath(new URL('.', import.meta.url));
const document = fileURLToPath(new URL('../../schema/openapi.yaml', import.meta.url));
const made = `${folder}.made`;

/** Runs one of the tools; what it prints is shown, and ends the run if it is not content. */
function tool(path: string, ...args: string[]): string {
  return execFileSync(process.execPath, [`${folder}node_modules/${path}`, ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

if (!existsSync(`${folder}node_modules`)) {
  process.stderr.write('The tools are not installed: npm ci --prefix test/openapi\n');
  process.exit(2);
}
try {
  tool(
    '@stoplight/spectral-cli/dist/index.js',
    'lint',
    '--ruleset',
    'spectral.yaml',
    '--fail-severity',
    'warn',
    document,
  );
  process.stdout.write('Spectral: no errors, no warnings\n');
  mkdirSync(made, { recursive: true });
  writeFileSync(`${made}/openapi.d.ts`, tool('openapi-typescript/bin/cli.js', document));
  tool('typescript/lib/tsc.js', '-p', 'tsconfig.json');
  process.stdout.write('openapi-typescript: bodies and answers are typed, in JSON and in XML\n');
} catch (error) {
  process.stdout.write((error as { stdout?: string }).stdout ?? '');
  process.exit(1);
}
