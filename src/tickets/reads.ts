import { sql } from 'drizzle-orm';
import { createBatcher } from '../batcher.ts';
import type { Viewer } from '../context.ts';
import type { Db } from '../db/database.ts';
import type { Desk } from './desk.ts';
import type { Person } from './people.ts';
import { isOperator } from './policy.ts';

/*
 * What an answer was read from, so that it can be given again, without being made again, as long as that is what would be read.
 *
 * Whatever changes what a ticket's page shows updates the ticket's row in the same commit (it appends an event), with two exceptions: the
 * steps of a mail that is not settled yet, and the names of people. A page with such a mail vouches for nothing; people are compared.
 */

/** A read vouches for its answer: it stays true while these rows are the same. */
export interface Seen {
  /** Row versions of tickets (xmin), read before what they stand for. */
  readonly tickets?: readonly { readonly id: number; readonly version: string }[];
  /** Tickets whose version must have been read before by another read. */
  readonly conversationsOf?: readonly number[];
  readonly people: readonly Person[];
}

/** Told of what was read; absent from a context where nobody asks. */
export interface ReadLog {
  vouch(seen: Seen): void;
}

/** All that one answer was read from. */
export interface Basis {
  readonly tickets: ReadonlyMap<number, string>;
  readonly people: ReadonlyMap<number, string>;
}

/**
 * The desk, watched: whatever is asked of it beside reads that vouch for their answers makes the whole answer one that cannot be
 * vouched for, so that a read that somebody adds later is never forgotten.
 */
export function watchReads(desk: Desk): { desk: Desk; reads: ReadLog; basis(): Basis | undefined } {
  let asked = 0;
  let vouched = 0;
  let broken = false;
  const tickets = new Map<number, string>();
  const people = new Map<number, string>();
  const note = (known: Map<number, string>, id: number, version: string) => {
    if ((known.get(id) ?? version) !== version) broken = true;
    known.set(id, version);
  };
  const readAs: Desk['database']['readAs'] = (viewer, read) => {
    asked += 1;
    return desk.database.readAs(viewer, read);
  };
  const unless = <T extends object>(target: T, known: Partial<T>): T =>
    new Proxy(target, {
      get(of, name) {
        if (Object.hasOwn(known, name)) return known[name as keyof T];
        broken = true;
        return of[name as keyof T];
      },
    });
  return {
    desk: unless(desk, { database: unless(desk.database, { readAs }) }),
    reads: {
      vouch(seen) {
        vouched += 1;
        for (const { id, version } of seen.tickets ?? []) note(tickets, id, version);
        if (seen.conversationsOf?.some((id) => !tickets.has(id))) broken = true;
        for (const person of seen.people) note(people, person.id, versionOf(person));
      },
    },
    basis: () => (broken || vouched === 0 || vouched !== asked ? undefined : { tickets, people }),
  };
}

const versionOf = ({ name, role, email }: Omit<Person, 'id'>): string => JSON.stringify([name, role, email]);

interface Now {
  readonly tickets: Readonly<Record<string, readonly [requesterId: number, version: string]>> | null;
  readonly people: Readonly<Record<string, readonly [string, Person['role'], string | null]>> | null;
}

/** Whether what a viewer was answered is what they would be answered now. */
export type IsCurrent = (viewer: Viewer, basis: Basis) => Promise<boolean>;

/** Asks the database, each time: one small statement for all callers who ask meanwhile. */
export function createIsCurrent(db: Db): IsCurrent {
  const ids = (name: string) => sql`any (${sql.placeholder(name)}::int[])`;
  const statement = db
    .select({
      tickets: sql<
        Now['tickets']
      >`(select json_object_agg(t.id, json_build_array(t.requester_id, t.xmin::text))
        from tickets t where t.id = ${ids('tickets')}) as tickets`,
      people: sql<Now['people']>`(select json_object_agg(u.id, json_build_array(u.name, u.role, u.email))
        from users u where u.id = ${ids('people')}) as people`,
    })
    .from(sql`(select) nothing`)
    .prepare('are_current');
  const look = createBatcher<{ viewer: Viewer; basis: Basis }, boolean>(
    async (items) => {
      const [now] = await statement.execute({
        tickets: [...new Set(items.flatMap(({ basis }) => [...basis.tickets.keys()]))],
        people: [...new Set(items.flatMap(({ basis }) => [...basis.people.keys()]))],
      });
      const people = new Map(
        Object.entries(now!.people ?? {}).map(([id, [name, role, email]]) => [
          Number(id),
          versionOf({ name, role, email }),
        ]),
      );
      return items.map(
        ({ viewer, basis }) =>
          [...basis.tickets].every(([id, version]) => {
            const row = now!.tickets?.[id];
            return row?.[1] === version && (isOperator(viewer) || row[0] === viewer.userId);
          }) && [...basis.people].every(([id, version]) => people.get(id) === version),
      );
    },
    { atOnce: 2 },
  );
  return (viewer, basis) => look({ viewer, basis });
}
