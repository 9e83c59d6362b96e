import { promisify } from 'node:util';
import { eventually } from '../../support/eventually.ts';
import { startDoor } from '../stand-in.ts';

/** The door in its own process, so that its cost can be measured separately from its callers'. */
const door = await startDoor();
/** Once no caller is left. */
process.on('message', async () => {
  await eventually(async () => (await promisify(door.server.getConnections).call(door.server)) === 0);
  const { user, system } = process.cpuUsage();
  const { maxRSS } = process.resourceUsage();
  process.send!({
    cpuMs: (user + system) / 1000,
    peakMb: maxRSS / 1024,
    rssMb: process.memoryUsage.rss() / 1e6,
  });
});
process.send!({ port: door.port });
