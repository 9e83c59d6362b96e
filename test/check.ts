import { exec } from 'node:child_process';
import { promisify } from 'node:util';

/** What `npm run check` runs, side by side; it prints what each says that has something to say. */
const commands = [
  'biome check .',
  'tsc --noEmit',
  // Checks the types of the GraphQL explorer when its sources have changed.
  'node src/dev/explorer/build.ts',
  'npm run --silent schema -- --check',
  'npm run --silent codegen -- --check',
];

const run = promisify(exec);
await Promise.all(
  commands.map(async (command) => {
    try {
      await run(command, { maxBuffer: 64 * 1024 * 1024 });
      process.stdout.write(`${command}: good\n`);
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      process.stderr.write(`${command}: failed\n${stdout}${stderr}`);
      process.exitCode = 1;
    }
  }),
);
