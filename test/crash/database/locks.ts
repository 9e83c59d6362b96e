/*
 * What a locked ticket, whose clients keep calling at one of two gateways, costs the callers of other
 * tickets. They are measured before, during and after the lock.
 *
 * node test/crash/database/locks.ts [--seconds 30] [--tickets 30]
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { say } from '../support/calls.ts';
import type { Cluster } from './cluster.ts';
import { createTemplate, ownerOf, startWorld } from './world.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string' }, tickets: { type: 'string' } } });
const seconds = Number(values.seconds ?? 30);
const tickets = Number(values.tickets ?? 30);
const mostTimes = 3;
const lockedTicket = 50;
const tell = (line: string) => process.stdout.write(`${line}\n`);
const authorization = `Basic ${Buffer.from('operator:operator').toString('base64')}`;
const reference = (ticket: number) => `INC-${String(ticket).padStart(6, '0')}`;

interface Told {
  readonly milliseconds: number;
  readonly kind: string;
}

/** A caller that adds one message after another to one ticket until it is stopped. */
async function keepSaying(url: string, ticket: number, isOver: () => boolean, told: Told[]): Promise<void> {
  for (let n = 0; !isOver(); n += 1) {
    const began = performance.now();
    const { kind } = await say(
      url,
      'graphql',
      { ticket: reference(ticket), body: `${n}` },
      { authorization },
    );
    told.push({ milliseconds: performance.now() - began, kind });
    await sleep(10);
  }
}

/** Two callers for each ticket, one at each gateway: they meet in the database. */
async function measure(urls: readonly string[], forMs: number): Promise<Told[]> {
  const until = performance.now() + forMs;
  const told: Told[] = [];
  await Promise.all(
    Array.from({ length: 2 * tickets }, (_, n) =>
      keepSaying(urls[n % 2]!, 1 + Math.floor(n / 2), () => performance.now() > until, told),
    ),
  );
  return told;
}

function percentile(told: readonly Told[], part: number): number {
  const sorted = told.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  return sorted[Math.floor(part * (sorted.length - 1))]!;
}

function line(name: string, told: readonly Told[]): string {
  const refused = told.filter(({ kind }) => kind !== 'added').length;
  const [p50, p99] = [0.5, 0.99].map((part) => percentile(told, part).toFixed(1));
  return `${name}: ${told.length} calls, p50 ${p50} ms, p99 ${p99} ms, ${refused} refused`;
}

async function main(directory: string, cluster: Cluster): Promise<boolean> {
  await cluster.start();
  await using world = await startWorld(directory, cluster);
  const urls = world.gateways.map(({ url }) => url);
  const owner = ownerOf(cluster, postgres);
  await measure(urls, 5000);
  const before = await measure(urls, 500 * seconds);
  const blocked: Told[] = [];
  const during = await owner.begin(async (tx) => {
    await tx`select from tickets where id = ${lockedTicket} for update`;
    let isOver = false;
    const clients = Array.from({ length: 3 }, () =>
      keepSaying(urls[0]!, lockedTicket, () => isOver, blocked),
    );
    const others = await measure(urls, 1000 * seconds);
    isOver = true;
    return { others, clients: Promise.all(clients) };
  });
  await during.clients;
  const after = await measure(urls, 500 * seconds);
  await owner.end({ timeout: 5 });
  for (const [name, told] of Object.entries({ before, during: during.others, after })) tell(line(name, told));
  const waits = Math.max(...blocked.map(({ milliseconds }) => milliseconds));
  tell(`the locked ticket's clients: ${blocked.length} calls, the longest ${Math.round(waits)} ms`);
  const times = percentile(during.others, 0.99) / percentile([...before, ...after], 0.99);
  const refused = during.others.filter(({ kind }) => kind !== 'added').length;
  const isGood = times <= mostTimes && refused === 0;
  tell(`${isGood ? 'ok  ' : 'BAD '} p99 of the others while it is locked: ${times.toFixed(2)} times`);
  return isGood;
}

const directory = await mkdtemp(join(tmpdir(), 'ticketwire-locks-'));
await chmod(directory, 0o711);
let isGood = false;
try {
  await using cluster = await createTemplate(directory);
  isGood = await main(directory, cluster);
} finally {
  await rm(directory, { recursive: true, force: true });
}
process.exit(isGood ? 0 : 1);
