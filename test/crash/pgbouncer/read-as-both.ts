import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../support/calls.ts';
import type { PooledDesk } from './world.ts';

const basic = (login: string) => `Basic ${Buffer.from(`${login}:${login}`).toString('base64')}`;
/** Credentials of the demo desk. */
export const asOperator = basic('operator');
export const asRequester = basic('requester');

/** What readers of one ticket have seen. */
export interface Sightings {
  operatorReads: number;
  requesterReads: number;
  /** Answers that the gateway asks to repeat. */
  unavailable: number;
  /** A requester's read that shows the private message. */
  leaks: number;
  /** An operator's read without it, or a requester's without the public one. */
  blind: number;
  /** Anything else, in words. */
  readonly odd: string[];
}

const page = `query ($id: Int!) { ticket(by: { ticketId: $id }) { messages(last: 20) { nodes { body } } } }`;
const isPublic = 'Everybody on the ticket may read this';
const isPrivate = 'Only operators may read this';

/** Writes a public and a private message to a ticket of the requester. @returns the ticket */
export async function writeBoth({ owner, urls }: PooledDesk): Promise<number> {
  const [row] = await owner<{ id: number; reference: string }[]>`
    select t.id::int as id, t.reference from tickets t join users u on u.id = t.requester_id
    where u.login = 'requester' and t.status <> 'CLOSED' order by t.id desc limit 1`;
  const ticket = row!.reference;
  const said = [
    await say(urls[0]!, 'graphql', { ticket, body: isPublic }, { authorization: asOperator }),
    await say(urls[1]!, 'graphql', { ticket, body: isPrivate, private: true }, { authorization: asOperator }),
  ];
  if (said.some(({ kind }) => kind !== 'added')) throw new Error(JSON.stringify(said));
  return row!.id;
}

/** Reads the ticket as both people at both gateways until `isOver`. */
export async function readUntil(
  { urls }: PooledDesk,
  ticket: number,
  isOver: () => boolean,
): Promise<Sightings> {
  const seen: Sightings = {
    ...{ operatorReads: 0, requesterReads: 0, unavailable: 0, leaks: 0, blind: 0 },
    odd: [],
  };
  const readers = urls.flatMap((url) =>
    [asOperator, asOperator, asRequester, asRequester, asRequester].map(async (authorization) => {
      while (!isOver())
        await readOnce(url, authorization, ticket, seen).catch((error) => seen.odd.push(`${error.cause}`));
    }),
  );
  await Promise.all(readers);
  return seen;
}

async function readOnce(url: string, authorization: string, id: number, seen: Sightings): Promise<void> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ query: page, variables: { id } }),
  });
  const text = await response.text();
  if (text.includes(isPrivate) && authorization === asRequester) seen.leaks += 1;
  if (text.includes('UNAVAILABLE') || response.status === 503) {
    seen.unavailable += 1;
    return sleep(5);
  }
  if (!text.includes('"nodes"')) {
    // A ticket that its own requester or an operator cannot see is the same as a message.
    if (text.includes('"ticket":null')) seen.blind += 1;
    else seen.odd.push(`${response.status} ${text}`);
    return;
  }
  if (authorization === asOperator) seen.operatorReads += 1;
  else seen.requesterReads += 1;
  const wanted = authorization === asOperator ? [isPublic, isPrivate] : [isPublic];
  if (!wanted.every((body) => text.includes(body))) seen.blind += 1;
}
