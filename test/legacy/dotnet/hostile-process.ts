import { promisify } from 'node:util';
import { eventually } from '../../support/eventually.ts';
import { startDoor } from '../stand-in.ts';

/** The door in a process of its own, so that what it costs can be told from what its callers cost. */
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
