import { readConfig } from '../config.ts';
import { openDesk } from './open-desk.ts';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), process, async () => openDesk(readConfig(process.env)));
