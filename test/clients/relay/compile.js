import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/* Makes what Relay's environment executes, out of desk.js and the printed schema. */

const made = new URL('.made/', import.meta.url);
mkdirSync(made, { recursive: true });
// Artifacts name one another without an extension, which only CommonJS resolves without a bundler.
writeFileSync(new URL('package.json', made), '{"type":"commonjs"}');
const compiler = createRequire(import.meta.url).resolve('relay-compiler/cli.js');
const cwd = fileURLToPath(new URL('..', import.meta.url));
execFileSync(process.execPath, [compiler, 'relay.config.json'], { cwd, stdio: 'inherit' });
