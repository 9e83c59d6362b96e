import { enableCompileCache } from 'node:module';

// Most of a command's time is spent loading the program.
enableCompileCache();
const { run } = await import('./run.ts');

process.exitCode = await run(process.argv.slice(2), process, {
  env: process.env,
  async open(embedded) {
    const [{ readConfig }, { openDesk }] = await Promise.all([
      import('../config.ts'),
      import('./open-desk.ts'),
    ]);
    const config = readConfig(process.env);
    for (const warning of config.warnings) process.stderr.write(`${warning}\n`);
    const onOpen = (database: string) => process.stderr.write(`On ${database}\n`);
    return openDesk(config, { makeEmbedded: embedded, onOpen });
  },
});
