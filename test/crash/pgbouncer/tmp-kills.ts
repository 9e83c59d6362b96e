import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad } from '../database/load.ts';
import { runInFolder, tell } from '../support/verdict.ts';
import { readUntil, writeBoth } from './sight.ts';
import { startPooledDesk } from './world.ts';
await runInFolder('tmp', async (directory) => {
  await using desk = await startPooledDesk(directory);
  const ticket = await writeBoth(desk);
  let isOver = false;
  const load = startLoad(desk.urls, { clients: 12, name: 'x' });
  const reading = readUntil(desk, ticket, () => isOver);
  for (let n = 0; n < 10; n += 1) {
    await sleep(1500);
    await desk.pooler.stop(n % 2 ? 'SIGKILL' : 'SIGTERM');
    await sleep(700);
    await desk.pooler.start();
    for (const { child, output } of [...desk.gateways, desk.worker]) if (child.exitCode !== null || child.signalCode !== null) tell(output.join('\n'));
  }
  await load.stop();
  isOver = true;
  const seen = await reading;
  tell(JSON.stringify({ ...seen, odd: [...new Set(seen.odd)].slice(0, 4), n: seen.odd.length }));
  const kinds: Record<string, number> = {};
  for (const { answer } of load.calls) { const k = answer.kind + ('status' in answer ? answer.status : ''); kinds[k] = (kinds[k] ?? 0) + 1; }
  tell(JSON.stringify(kinds));
  for (const { output } of [...desk.gateways, desk.worker]) tell(output.filter((l) => !l.includes('"msg":"request"')).slice(-12).map((l) => l.slice(0, 400)).join('\n'));
  const q = await desk.owner`select count(*)::int as n, count(distinct body)::int as d from messages where body like 'x client%'`;
  tell(JSON.stringify(q));
});
