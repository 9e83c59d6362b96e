import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import { between, seeded } from '../crash/support/random.ts';
import { placeOf } from '../support/cursor.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { soaking } from '../support/soak.ts';
import { add, ask } from '../tickets/calls.ts';
import { type SeenInHistory, watchHistory } from './event-history.ts';
import { assertEachOnce } from './event-history-verdict.ts';

/*
 * Writers in two gateways, watchers who leave and come back, and a ticket that changes hands: each watcher
 * sees each event that is visible to it once and in order, and nothing else.
 */

// `npm run test:events` runs a longer one. EVENTS_SEED chooses another.
const seed = Number(process.env.EVENTS_SEED ?? 20261128);
const operations = Number(process.env.EVENTS_OPERATIONS ?? (soaking ? 16 : 8));
const [kept, moved, quiet] = [47, 42, 3];
const marker = 'the last word';

/** Writes a random history through both gateways. */
async function write(gateways: readonly Gateway[], random: () => number, steps: EventEmitter): Promise<void> {
  const sql = gateways[0]!.sql;
  let isOthers = false;
  const one = async (n: number) => {
    const gateway = gateways[between(random, 0, 1)]!;
    const ticketId = [kept, moved, quiet][between(random, 0, 2)]!;
    const what = random();
    if (what < 0.12) {
      const status = random() < 0.5 ? 'CLOSED' : 'OPEN';
      await gateway.graphql(`mutation { setTicketStatus(input: { ticket: { ticketId: ${quiet} },
        status: ${status} }) { __typename } }`);
    } else if (what < 0.2) {
      isOthers = !isOthers;
      await sql`update tickets set requester_id = ${isOthers ? 3 : 2} where id = ${moved}`;
    } else {
      const body = `word ${n}`;
      await add(gateway, { ticket: { ticketId }, body, visibility: random() < 0.4 ? 'PRIVATE' : 'PUBLIC' });
    }
  };
  for (let n = 0; n < operations; n += 1) {
    steps.emit('step');
    if (random() < 0.5) await one(n);
    else {
      // Several at a time, of which none is a change of hands.
      const bodies = Array.from({ length: between(random, 2, 5) }, (_, at) => `word ${n} ${at}`);
      await Promise.all(
        bodies.map((body, at) => {
          const ticketId = [kept, quiet][at % 2]!;
          return add(gateways[at % 2]!, { ticket: { ticketId }, body });
        }),
      );
    }
  }
}

test(`each visible event once, in order, to each watcher; nothing else (seed ${seed})`, async () => {
  await using one = await startGateway({ env: { ROLES: 'web' } });
  await using other = await startGateway({ env: { ROLES: 'web' }, database: one.database });
  const gateways = [one, other];
  const random = seeded(seed);
  const after = await ask<string>(one, '{ deskCursor }');
  const [begun] = await one.sql<{ id: number }[]>`select coalesce(max(id), 0)::int as id from messages`;
  const ending = new AbortController();
  const steps = new EventEmitter();
  let isWritten = false;
  // After the last step a watcher who was refused tries again at once.
  const moreWritten = async () => isWritten || once(steps, 'step', { signal: ending.signal });
  const watch = (
    field: 'ticketEvents' | 'deskEvents',
    authorization: string,
    ticketId?: number,
    isLast = (seen: SeenInHistory) => seen.ticketMessage?.body === marker,
  ) =>
    watchHistory(
      { field, authorization, ...(ticketId === undefined ? { after } : { ticketId }) },
      { random, url: () => gateways[between(random, 0, 1)]!.url, isLast, signal: ending.signal, moreWritten },
    );
  const lastOfDesk = ({ ticket, ticketMessage }: SeenInHistory) =>
    ticket?.ticketId === quiet && ticketMessage?.body === marker;
  const complete = Promise.all([
    watch('deskEvents', asOperator, undefined, lastOfDesk),
    watch('deskEvents', asOperator, undefined, lastOfDesk),
    watch('ticketEvents', asOperator, kept),
    watch('ticketEvents', asOperator, moved),
    watch('ticketEvents', asRequester, kept),
  ]);
  const away = watch('ticketEvents', asRequester, moved);
  await write(gateways, random, steps);
  // The requester of the moved ticket has lost it for good.
  await one.sql`update tickets set requester_id = 3 where id = ${moved}`;
  for (const ticketId of [kept, moved, quiet]) await add(one, { ticket: { ticketId }, body: marker });
  isWritten = true;
  steps.emit('step');
  const [desk, deskAgain, ofKept, ofMoved, own] = await complete;
  ending.abort();
  const lost = await away;

  await assertEachOnce(
    one.sql,
    { kept, moved, quiet, begun: begun!.id },
    { desk, deskAgain, ofKept, ofMoved, own },
  );
  // Who lost the ticket: public events in order, each once, and none of what was said since.
  const places = lost.map(({ cursor }) => placeOf(cursor));
  expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b));
  expect(lost.every(({ visibility }) => visibility === 'PUBLIC')).toBe(true);
  expect(lost.map(({ ticketMessage }) => ticketMessage?.body)).not.toContain(marker);
});
