/*
 * Ticketwire behind Debian's PgBouncer with the documented file (docs/deploy/pgbouncer.ini): two gateways and
 * a worker at their usual work; what happens when PgBouncer or PostgreSQL is restarted under load, and when
 * PgBouncer is changed to share sessions; and what a start says behind a PgBouncer that is set up wrongly.
 *
 *   npm run test:pgbouncer [-- --only TEXT]
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runInFolder } from '../support/verdict.ts';
import { incidents, runIncident } from './incidents.ts';
import { tryWrongSettings } from './refusals.ts';
import { readAsBoth, sendSamples, waitForLock, watchTicket } from './usual-work.ts';
import { startPooledDesk } from './world.ts';

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const isWanted = (name: string) => name.includes(values.only);

async function runAll(directory: string): Promise<void> {
  if (isWanted('wrong settings')) {
    const own = join(directory, 'wrong');
    await mkdir(own, { mode: 0o711 });
    await tryWrongSettings(own);
  }
  await using desk = await startPooledDesk(directory);
  if (isWanted('usual work'))
    for (const work of [sendSamples, watchTicket, waitForLock, readAsBoth]) await work(desk);
  for (const name of Object.keys(incidents)) if (isWanted(name)) await runIncident(desk, name);
}

await runInFolder('pgbouncer', runAll);
