import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad } from '../database/load.ts';
import { judge, recoveryOf } from '../database/verdict.ts';
import { check, tell, violations } from '../support/verdict.ts';
import { readUntil, writeBoth } from './read-as-both.ts';
import type { PooledDesk } from './world.ts';

const mostSeconds = 5;
const clients = 12;

/** What happens under load. Each resolves when connections can be had again. */
export const incidents: Readonly<Record<string, (desk: PooledDesk) => Promise<void>>> = {
  'PgBouncer killed, started a second later': async ({ pooler }) => {
    await pooler.stop('SIGKILL');
    await sleep(1000);
    await pooler.start();
  },
  'PgBouncer restarted': async ({ pooler }) => {
    await pooler.stop('SIGTERM');
    await pooler.start();
  },
  'PostgreSQL killed behind it, started a second later': async ({ cluster }) => {
    await cluster.kill();
    await sleep(1000);
    await cluster.start();
  },
  'sessions shared for 3 s, by pool_mode = transaction': async ({ pooler }) => {
    await pooler.reload({ pool_mode: 'transaction' });
    await sleep(3000);
    await pooler.reload({});
  },
};

/**
 * Lets it happen while many write and read. What was acknowledged is stored once and mailed once, everything
 * works again soon, and no reader ever sees what another one may.
 */
export async function runIncident(desk: PooledDesk, name: string): Promise<void> {
  const { urls, owner, journal } = desk;
  const ticket = await writeBoth(desk);
  let isOver = false;
  // Readers look for what is among its last messages.
  const load = startLoad(urls, { clients, name, spared: ticket });
  const reading = readUntil(desk, ticket, () => isOver);
  while (load.calls.length < 100) await sleep(20);
  await incidents[name]!(desk);
  const since = performance.now();
  await sleep(6000);
  await load.stop();
  isOver = true;
  const seen = await reading;
  const recovery = recoveryOf(load.calls, since);
  for (const { child, output } of desk.gateways)
    if (child.exitCode !== null || child.signalCode !== null) tell(output.join('\n'));
  const verdict = await judge(owner, load.calls, journal, name);
  tell(`     ${name}: ${JSON.stringify({ ...recovery, ...verdict })}`);
  tell(`     read: ${JSON.stringify({ ...seen, odd: seen.odd.length })}`);
  const { lost, doubled, mailsLost, mailsDoubled } = verdict;
  check(`${name}: lost, doubled`, [lost, doubled, mailsLost, mailsDoubled], [0, 0, 0, 0]);
  check(`${name}: leaks, blind and odd reads`, [seen.leaks, seen.blind, seen.odd.slice(0, 3)], [0, 0, []]);
  if (Math.max(recovery.first, recovery.last) > mostSeconds)
    violations.push(`${name}: it took more than ${mostSeconds} s`);
}
