import { startDoor } from './stand-in.ts';

/** The door in a process of its own, so that what it costs can be told from what its callers cost. */
const door = await startDoor();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const { maxRSS } = process.resourceUsage();
  process.send!({
    cpuMs: (user + system) / 1000,
    peakMb: maxRSS / 1024,
    rssMb: process.memoryUsage.rss() / 1e6,
  });
});
process.send!({ port: door.port });
