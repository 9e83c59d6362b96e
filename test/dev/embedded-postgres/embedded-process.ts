/*
 * A gateway's process as far as its database goes: starts on the DATA_DIR given and says so, one JSON object
 * a line.
 */
import { createInterface } from 'node:readline';
import { startEmbedded } from '../../../src/dev/embedded-postgres/start-postgres.ts';

const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);
try {
  const embedded = await startEmbedded(process.argv[2]!);
  say({ pid: embedded.pid, connection: embedded.connection });
  createInterface(process.stdin).on('line', async () => {
    await embedded[Symbol.asyncDispose]();
    process.exit();
  });
} catch (error) {
  say({ error: (error as Error).message });
  process.exit(1);
}
