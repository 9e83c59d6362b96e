/*
 * A database as it fails in production, under two gateways that many write through and that send mails:
 * sessions are killed at random, the server is killed, slowed down and started again, the network loses
 * connections, a standby takes over. Compares what the clients were answered, what is stored and what the
 * mail server accepted, and measures the time until everything works again.
 *
 * node test/crash/database/run.ts [--kills 200] [--seed 1] [--only TEXT]
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import type { Cluster } from './cluster.ts';
import { type Incident, incidents } from './incidents.ts';
import { innocent, killBackends } from './kills.ts';
import { type Load, startLoad } from './load.ts';
import { judge, type Recovery, recoveryOf, type Verdict } from './verdict.ts';
import { createTemplate, ownerOf, startWorld } from './world.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const mostSeconds = 5;
const clients = 12;
const tell = (line: string) => process.stdout.write(`${line}\n`);
const violations: string[] = [];

function verdictLine(name: string, verdict: Verdict): string {
  const { lost, doubled, mailsLost, mailsDoubled } = verdict;
  if (lost + doubled + mailsLost + mailsDoubled > 0) violations.push(`${name}: ${JSON.stringify(verdict)}`);
  return (
    `${verdict.acknowledged} acknowledged, ${verdict.faults} told to come again; ${lost} lost, ` +
    `${doubled} doubled; ${verdict.mails} mails, ${mailsLost} lost, ${mailsDoubled} doubled`
  );
}

/** Until the load is under way at both gateways. */
async function underWay({ calls }: Load): Promise<void> {
  while (new Set(calls.map(({ gateway }) => gateway)).size < 2 || calls.length < 100) await sleep(50);
}

async function runKills(directory: string, template: Cluster): Promise<void> {
  const name = 'sessions killed at random';
  const cluster = await template.copy(join(directory, 'kills'));
  await using _server = cluster;
  await cluster.start();
  await using world = await startWorld(directory, cluster);
  const owner = ownerOf(cluster, postgres);
  const load = startLoad(
    world.gateways.map(({ url }) => url),
    { clients, name: 'kills' },
  );
  await underWay(load);
  const kills = await killBackends(owner, Number(values.kills ?? 200), Number(values.seed ?? 1));
  await sleep(500);
  await load.stop();
  const failed = innocent(load.calls, kills);
  for (const { answer, beganAt, endedAt } of failed.slice(0, 3)) {
    const toNearest = kills.map(({ from }) => Math.round(from - endedAt)).sort((a, b) => a * a - b * b)[0];
    const took = Math.round(endedAt - beganAt);
    tell(`     ${JSON.stringify(answer)}, took ${took} ms, nearest kill ${toNearest} ms after its end`);
  }
  if (failed.length > 0) violations.push(`${name}: ${failed.length} innocent calls failed`);
  const verdict = await judge(owner, load.calls, world.journal, 'kills');
  tell(
    `${name}: ${kills.length} kills, ${failed.length} calls failed that began 200 ms after one; ` +
      `${verdictLine(name, verdict)}`,
  );
  await owner.end({ timeout: 5 });
}

async function runIncident(
  directory: string,
  template: Cluster,
  incident: Incident,
  n: number,
): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const primary = parts.use(await template.copy(join(directory, `primary-${n}`)));
  const standby = incident.needsStandby
    ? parts.use(await primary.copyAsStandby(join(directory, `standby-${n}`)))
    : undefined;
  // Commits wait for the standby as soon as the primary runs.
  await Promise.all([primary.start(), standby?.start()]);
  const world = parts.use(await startWorld(directory, primary));
  const load = startLoad(
    world.gateways.map(({ url }) => url),
    { clients, name: `incident ${n}` },
  );
  await underWay(load);
  const { since, at } = await incident.happen({ world, primary, standby });
  const owner = ownerOf(at, postgres);
  parts.defer(() => owner.end({ timeout: 5 }));
  const mail = await firstMail(owner, since);
  await sleep(3000);
  await load.stop();
  const recovery = { ...recoveryOf(load.calls, since), mail };
  const verdict = await judge(owner, load.calls, world.journal, `incident ${n}`);
  report(incident.name, recovery, verdict);
}

/** Seconds until a mail was settled that was written after the incident, by whichever worker. */
async function firstMail(owner: postgres.Sql, since: number): Promise<number> {
  const [highest] = await owner`select coalesce(max(id), 0) as id from deliveries`;
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(20)) {
    const [row] = await owner`select from deliveries where id > ${highest!.id} and state = 'SENT' limit 1`;
    if (row !== undefined) return Math.round(performance.now() - since) / 1000;
  }
  return Number.POSITIVE_INFINITY;
}

function report(name: string, { first, last, mail, longestCall }: Recovery, verdict: Verdict): void {
  tell(
    `${name}: first message ${first} s, last fault ${last} s, first mail ${mail} s, longest call ` +
      `${longestCall} s; ${verdictLine(name, verdict)}`,
  );
  if (Math.max(first, last, mail) > mostSeconds)
    violations.push(`${name}: it took more than ${mostSeconds} s`);
}

const directory = await mkdtemp(join(tmpdir(), 'ticketwire-database-'));
await chmod(directory, 0o711);
try {
  const template = await createTemplate(directory);
  const isWanted = (name: string) => name.includes(values.only ?? '');
  if (isWanted('sessions killed at random')) await runKills(directory, template);
  for (const [n, incident] of incidents.entries())
    if (isWanted(incident.name)) await runIncident(directory, template, incident, n);
} finally {
  await rm(directory, { recursive: true, force: true });
}
for (const violation of violations) tell(`BAD  ${violation}`);
tell(violations.length === 0 ? 'no violation' : `${violations.length} violations`);
process.exit(violations.length === 0 ? 0 : 1);
