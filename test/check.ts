import { exec, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { compileCache } from './support/node-options.ts';

const ours = `node --import ${new URL('../src/platform/process/faster-imports.ts', import.meta.url).href}`;

/** Tests read what these look at and make. */
const generated = {
  // Builds the GraphQL explorer, and checks its types, when its sources have changed.
  explorer: 'node src/dev/explorer/build.ts',
  schema: `${ours} src/graphql/print-schema.ts --check`,
  codegen: `${ours} codegen.ts --check`,
};
const sources = {
  biome: 'biome check .',
  // Checkers that run side by side each check the libraries: together they cost a third more.
  // The second time it looks at what has changed alone.
  tsc: 'tsc --noEmit --singleThreaded --incremental --tsBuildInfoFile node_modules/.cache/types.tsbuildinfo',
};

const run = promisify(exec);
process.env.NODE_COMPILE_CACHE ??= compileCache;
/** The checker's memory is not collected below 2 GiB, of which it takes half: a third less CPU. */
const env = { ...process.env, GOGC: 'off', GOMEMLIMIT: '2GiB' };

/** Runs the commands side by side. @returns what each has to say, once all have ended */
async function check(commands: Readonly<Record<string, string>>): Promise<string> {
  const said = Object.entries(commands).map(async ([name, command]) => {
    try {
      await run(command, { maxBuffer: 64 * 1024 * 1024, env });
      return `${name}: good\n`;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      process.exitCode = 1;
      return `${name}: failed\n${stdout}${stderr}`;
    }
  });
  return (await Promise.all(said)).join('');
}

/** Runs the tests in this terminal. */
async function runTests(command: string, args: readonly string[]): Promise<void> {
  const [code] = await once(spawn(command, args, { stdio: 'inherit' }), 'exit');
  if (code !== 0) process.exitCode = 1;
}

/*
 * `npm run check`. `npm test` names the command of the tests as well: they begin in one process, on one core,
 * so the sources are checked beside them. What is wrong with the sources is said below the tests.
 */
const [tests, ...args] = process.argv.slice(2);
if (tests === undefined) {
  process.stdout.write(await check({ ...generated, ...sources }));
} else {
  process.stdout.write(await check(generated));
  if (process.exitCode === undefined) {
    const [said] = await Promise.all([check(sources), runTests(tests, args)]);
    process.stdout.write(said);
  }
}
