import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: { start: string };
};

/**
 * What `npm start` gives node before the program: whoever starts the gateway in a process of its own starts
 * it like that.
 */
export const nodeOptions: readonly string[] = scripts.start.match(/--\S+(?=.*src\/start\.ts)/g) ?? [];
if (nodeOptions.length === 0)
  throw new Error('npm start has no options for node: this has to be read otherwise');

/**
 * Where Node keeps modules that it has compiled, without their types: importing the gateway from there costs
 * a quarter less CPU. The checks before the tests import most of it.
 */
export const compileCache = fileURLToPath(new URL('../../node_modules/.cache/node-compile', import.meta.url));
