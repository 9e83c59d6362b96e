import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import type { Role } from '../platform/request-context.ts';
import { roleProblems, usersNamedBy } from './gateway-api-rules.ts';
import { IdSet } from './id-set.ts';
import { MessageOrder } from './message-order.ts';
import type { DeskRecord, DeskRecordOf, ImportProblem, NumberedRecord, RecordType } from './record.ts';

type NamedType = 'user' | 'mailbox' | 'ticket';
/** `key`: the name as PostgreSQL compares it. JavaScript has another lower case of İ and of a final Σ. */
type NamedRow = { name: string; key: string };
type ExistingRow = NamedRow & { id: number };
/** Rows of the desk that share an id or a name with the batch, and the key of each name of the batch. */
interface Existing {
  readonly byId: ReadonlyMap<number, ExistingRow>;
  readonly byKey: ReadonlyMap<string, ExistingRow>;
  readonly keys: ReadonlyMap<string, string>;
}

/** A type's unique name besides its id, compared without case. */
const nameOf = {
  user: {
    table: sql.raw('users'),
    column: sql.raw('login'),
    key: sql.raw('lower(login)'),
    word: 'login',
    of: (r: DeskRecordOf<'user'>) => r.login,
  },
  mailbox: {
    table: sql.raw('mailboxes'),
    column: sql.raw('address'),
    key: sql.raw('lower(address)'),
    word: 'address',
    of: (r: DeskRecordOf<'mailbox'>) => r.address,
  },
  ticket: {
    table: sql.raw('tickets'),
    column: sql.raw('reference'),
    key: sql.raw('reference_key'),
    word: 'reference',
    of: (r: DeskRecordOf<'ticket'>) => r.reference,
  },
} as const;

/**
 * Checks the lines of one import against the desk's rows and against earlier lines, and writes nothing. It is
 * given all lines, batch by batch, in the order of the file. It finds: an id that an earlier line has; an id
 * or a name (login, address, reference, compared without case) that another row or an earlier line has; users
 * and tickets that neither the desk nor an earlier line has; what only operators may do; a message that would
 * precede one which its ticket has already.
 */
export class Checker {
  readonly #db: Db;
  readonly #order: MessageOrder;
  /** Ids and names of earlier lines. */
  readonly #ids = { user: new IdSet(), mailbox: new IdSet(), ticket: new IdSet(), message: new IdSet() };
  readonly #excused = { user: new IdSet(), mailbox: new IdSet(), ticket: new IdSet(), message: new IdSet() };
  readonly #names = {
    user: new Map<string, number>(),
    mailbox: new Map<string, number>(),
    ticket: new Map<string, number>(),
  };
  /** Ids of the operators among them. */
  readonly #operators = new IdSet();

  constructor(db: Db) {
    this.#db = db;
    this.#order = new MessageOrder(db);
  }

  /**
   * Remembers the id of a malformed line, so that lines that refer to it are not reported as well. Must be
   * called before `check` gets those lines.
   */
  excuse({ type, id }: { type: RecordType; id: number }): void {
    this.#excused[type].add(id);
  }

  /**
   * Checks the next batch of lines.
   * @returns the problems in the order of the lines; a line may have several
   */
  async check(batch: readonly NumberedRecord[]): Promise<ImportProblem[]> {
    const of = <T extends RecordType>(type: T) =>
      batch.filter((item): item is { line: number; record: DeskRecordOf<T> } => item.record.type === type);
    const there = {
      user: await this.#existing('user', of('user')),
      mailbox: await this.#existing('mailbox', of('mailbox')),
      ticket: await this.#existing('ticket', of('ticket')),
      message: await this.#existingMessages(of('message')),
    };
    const users = await this.#roles(batch.flatMap(({ record }) => usersNamedBy(record)));
    const tickets = await this.#tickets(of('message').map(({ record }) => record.ticketId));
    const passed = await this.#order.check(of('message').map(({ record }) => record));
    const problems: ImportProblem[] = [];
    for (const { line, record } of batch) {
      const say = (message: string) => problems.push({ line, message });
      if (this.#ids[record.type].has(record.id))
        say(`the ${record.type} ${record.id} is in an earlier line already`);
      else if (record.type === 'message') for (const message of there.message(record)) say(message);
      else for (const message of this.#nameProblems(record, line, there[record.type])) say(message);
      this.#ids[record.type].add(record.id);
      if (record.type === 'user' && record.role === 'OPERATOR') this.#operators.add(record.id);
      const isRequester = (id: number) =>
        users.get(id) === 'REQUESTER' || (this.#ids.user.has(id) && !this.#operators.has(id));
      for (const message of roleProblems(record, isRequester)) say(message);
      for (const id of usersNamedBy(record)) {
        if (!users.has(id) && !this.#saw('user', id))
          say(`there is no user ${id} in the desk or in an earlier line`);
      }
      if (
        record.type === 'message' &&
        !tickets.has(record.ticketId) &&
        !this.#saw('ticket', record.ticketId)
      ) {
        say(`there is no ticket ${record.ticketId} in the desk or in an earlier line`);
      }
      const late = record.type === 'message' ? passed(record) : undefined;
      if (late !== undefined) say(late);
    }
    return problems;
  }

  #saw(type: RecordType, id: number): boolean {
    return this.#ids[type].has(id) || this.#excused[type].has(id);
  }

  #nameProblems(record: DeskRecordOf<NamedType>, line: number, there: Existing): string[] {
    const { word, of } = nameOf[record.type];
    const name = (of as (r: DeskRecord) => string)(record);
    const key = there.keys.get(name)!;
    const problems: string[] = [];
    const sameId = there.byId.get(record.id);
    if (sameId !== undefined && sameId.key !== key) {
      problems.push(`the desk has another ${record.type} ${record.id}, with the ${word} ${sameId.name}`);
    }
    const sameName = there.byKey.get(key);
    if (sameName !== undefined && sameName.id !== record.id) {
      problems.push(`the ${word} ${name} belongs to the ${record.type} ${sameName.id} of the desk`);
    }
    const earlier = this.#names[record.type].get(key);
    if (earlier !== undefined) problems.push(`the ${word} ${name} is in line ${earlier} already`);
    else this.#names[record.type].set(key, line);
    return problems;
  }

  async #existing(type: NamedType, batch: readonly { record: DeskRecordOf<NamedType> }[]): Promise<Existing> {
    if (batch.length === 0) return { byId: new Map(), byKey: new Map(), keys: new Map() };
    const { table, column, key, of } = nameOf[type];
    const wanted = batch.map(({ record }) => ({
      id: record.id,
      name: (of as (r: DeskRecord) => string)(record),
    }));
    const input = sql`json_to_recordset(${JSON.stringify(wanted)}::json) as i (id int, name text)`;
    const there = await this.#db.execute<ExistingRow>(sql`
      select id, ${column} as name, ${key} as key from ${table}
      where id = any (array(select id from ${input}))
      union select id, ${column}, ${key} from ${table}
      where ${key} = any (array(select lower(name) from ${input}))`);
    const given = await this.#db.execute<NamedRow>(sql`select name, lower(name) as key from ${input}`);
    return {
      byId: new Map(there.map((row) => [row.id, row])),
      byKey: new Map(there.map((row) => [row.key, row])),
      keys: new Map(given.map((row) => [row.name, row.key])),
    };
  }

  async #existingMessages(batch: readonly { record: DeskRecordOf<'message'> }[]) {
    const ids = JSON.stringify(batch.map(({ record }) => record.id));
    const rows =
      batch.length === 0
        ? []
        : await this.#db.execute<{ id: number; ticket: number; author: number }>(sql`
      select m.id, m.ticket_id as ticket, m.author_id as author from messages m
      where m.id = any (array(select value::int from json_array_elements_text(${ids}::json)))`);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return (record: DeskRecordOf<'message'>): string[] => {
      const row = byId.get(record.id);
      if (row === undefined || (row.ticket === record.ticketId && row.author === record.authorId)) return [];
      return [`the desk has another message ${record.id}, in ticket ${row.ticket} by user ${row.author}`];
    };
  }

  async #tickets(ids: readonly number[]): Promise<ReadonlySet<number>> {
    const rows = await this.#find<{ id: number }>('ticket', ids, sql`t.id`);
    return new Set(rows.map(({ id }) => id));
  }

  /** Roles of users that the desk has. */
  async #roles(ids: readonly number[]): Promise<ReadonlyMap<number, Role>> {
    const rows = await this.#find<{ id: number; role: Role }>('user', ids, sql`t.id, t.role`);
    return new Map(rows.map(({ id, role }) => [id, role]));
  }

  /** The desk's rows of ids that no earlier line has. */
  async #find<T>(type: 'user' | 'ticket', ids: readonly number[], columns: SQL): Promise<readonly T[]> {
    const asked = JSON.stringify([...new Set(ids)].filter((id) => !this.#saw(type, id)));
    if (asked === '[]') return [];
    const rows = await this.#db.execute(sql`
      select ${columns} from ${nameOf[type].table} t
      where t.id = any (array(select value::int from json_array_elements_text(${asked}::json)))`);
    return rows as unknown as readonly T[];
  }
}
