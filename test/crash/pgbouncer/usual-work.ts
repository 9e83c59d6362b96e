import { setTimeout as sleep } from 'node:timers/promises';
import { samples } from '../../../src/legacy/help/samples.ts';
import { openStream } from '../../support/event-stream.ts';
import { readJournal } from '../../support/servers/smtp-sink-process.ts';
import { say } from '../support/calls.ts';
import { check } from '../support/verdict.ts';
import { asOperator, readUntil, writeBoth } from './read-as-both.ts';
import type { PooledDesk } from './world.ts';

/** The samples of the help page, and the mails that the worker sends for them. */
export async function sendSamples({ urls, journal }: PooledDesk): Promise<void> {
  const statuses: number[] = [];
  for (const [n, [type, body]] of [
    ['application/json', samples.requestJson],
    ['application/xml', samples.requestXml],
  ].entries()) {
    const response = await fetch(`${urls[n]}/api/Tickets/NewMessage`, {
      method: 'POST',
      headers: { authorization: asOperator, 'content-type': type! },
      body: body!,
    });
    statuses.push(response.status);
  }
  check('samples of the help page', statuses, [200, 200]);
  for (let tries = 0; readJournal(journal).length < 2 && tries < 200; tries += 1) await sleep(50);
  const copies = readJournal(journal).map(({ to }) => to.includes('jane.doe@domain.com'));
  check('mails of the worker, each with its copies', copies, [true, true]);
}

/** A subscription at one gateway, of a ticket that the other one writes to. */
export async function watchTicket({ urls }: PooledDesk): Promise<void> {
  const after = await cursorOf(urls[1]!);
  const query = `subscription ($after: String) {
    ticketEvents(ticket: { ticketId: 12 }, after: $after) { ticketMessage { body } } }`;
  const stream = await openStream(urls[1]!, { query, variables: { after } }, { authorization: asOperator });
  const wanted = ['one', 'two', 'three'];
  const began = performance.now();
  for (const body of wanted)
    await say(urls[0]!, 'graphql', { ticket: 'INC-000012', body }, { authorization: asOperator });
  const seen: string[] = [];
  while (seen.length < wanted.length) {
    const event = await stream.next();
    if (event === undefined) break;
    const body = JSON.stringify(event.data).match(/"body":"(\w+)"/)?.[1];
    if (body !== undefined) seen.push(body);
  }
  stream.leave();
  check('events of a subscription', seen, wanted);
  // Without NOTIFY they would come after up to 15 s.
  check('they were announced', performance.now() - began < 10_000, true);
}

async function cursorOf(url: string): Promise<string> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: asOperator, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ ticket(by: { ticketId: 12 }) { cursor } }' }),
  });
  return ((await response.json()) as { data: { ticket: { cursor: string } } }).data.ticket.cursor;
}

/** A write that waits longer than a connection may be silent without being asked about. */
export async function waitForLock({ urls, owner }: PooledDesk): Promise<void> {
  let told: Promise<string> | undefined;
  await owner.begin(async (tx) => {
    await tx`select from tickets where id = 13 for update`;
    const message = { ticket: 'INC-000013', body: 'Behind a lock' };
    told = say(urls[0]!, 'graphql', message, { authorization: asOperator }).then(({ kind }) => kind);
    await sleep(3000);
  });
  check('a write after a lock of 3 s', await told, 'added');
}

/** What a requester and an operator see of a ticket with a private message. */
export async function readAsBoth(desk: PooledDesk): Promise<void> {
  const ticket = await writeBoth(desk);
  const until = performance.now() + 5000;
  const { operatorReads, requesterReads, ...rest } = await readUntil(
    desk,
    ticket,
    () => performance.now() > until,
  );
  check(`reads of a private message (${operatorReads} by operators, ${requesterReads} by requesters)`, rest, {
    ...{ unavailable: 0, leaks: 0, blind: 0 },
    odd: [],
  });
}
