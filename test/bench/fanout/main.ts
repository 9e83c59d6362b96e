/*
 * npm run bench:fanout [-- --clients 300,2000,10000,10000/1000] [--events 20] [--rounds 6]
 *
 * Streams of events on one ticket, or on several (10000/1000: 10,000 readers on 1,000 tickets), read by
 * another process, against a bare `res.write` loop of the same bytes in a process of its own. In each round
 * both have their turn, and ratios are taken within a round. It fails when a reader gets an event twice, not
 * at all or out of order.
 */
import { parseArgs } from 'node:util';
import { createWorld, defaultDirectory } from '../world.ts';
import { startBareLoop } from './bare-loop.ts';
import { compare } from './compare.ts';
import { sizeOf } from './contender.ts';
import { startGateway } from './gateway.ts';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '300,2000,10000,10000/1000' },
    events: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '6' },
  },
});

async function main(): Promise<void> {
  // Compilers and the heap of both are warm before memory is counted.
  const sizes = ['200', ...values.clients.split(',')].map((text) => sizeOf(text, Number(values.events)));
  await using parts = new AsyncDisposableStack();
  const world = parts.use(await createWorld(defaultDirectory));
  const most = Math.max(...sizes.map(({ count }) => count));
  const { contender, counter, sample } = await startGateway(world, parts, most);
  const bare = await startBareLoop(parts, sample);
  const rounds = Number(values.rounds);
  for (const size of sizes)
    for await (const line of compare(size, [contender, bare], { counter, rounds }))
      process.stdout.write(`${line}\n`);
}

await main();
process.exit(0);
