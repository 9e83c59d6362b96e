import { readConfig } from '../config.ts';
import { openDesk } from './open-desk.ts';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), process, async (embedded) => {
  const config = readConfig(process.env);
  for (const warning of config.warnings) process.stderr.write(`${warning}\n`);
  const tell = (database: string) => process.stderr.write(`On ${database}\n`);
  return openDesk(config, { makeEmbedded: embedded, tell });
});
