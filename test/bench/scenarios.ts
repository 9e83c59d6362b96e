import { randomUUID } from 'node:crypto';
import type { Dialect } from './contenders.ts';
import { add, addOf, nothing } from './support/documents.ts';
import { type Client, isWhole, list, page, type Read, requestsOf, ticketOf } from './support/reads.ts';
import { mailbox, readTickets, tickets } from './support/seed.ts';

export interface Scenario {
  readonly name: string;
  readonly callers: number;
  /** Whether each operation leaves a message. */
  readonly writes: boolean;
  /** A caller's next request; undefined: this dialect has no such operation. */
  request(dialect: Dialect, token: string, caller: number): string | undefined;
  problem(dialect: Dialect, body: Buffer, caller: number): string | undefined;
}

export const scenarios = (full: boolean): Scenario[] => [
  write('write, 32 callers, distinct tickets', 32, (caller, n) => own(caller, n)),
  write('write, 1 caller', 1, (caller, n) => own(caller, n)),
  write('write, 32 callers, one ticket', 32, () => readTickets + 1),
  read('read a page of 50, 32 callers', page, 'curl'),
  read("read a page of 50, 32 callers, Apollo's request", page, 'Apollo Client 4'),
  read('list 50 tickets, 32 callers', list, 'curl'),
  read("list 50 tickets, 32 callers, Apollo's request", list, 'Apollo Client 4'),
  nothingAtAll('nothing, 32 callers', 32),
  ...(full ? fullOnly() : []),
];

const fullOnly = (): Scenario[] => [
  ...[8, 128, 256].map((callers) => write(`write, ${callers} callers, distinct tickets`, callers, own)),
  ...[0, 1, 5, 20].map((files) =>
    write(`write, 8 callers, ${files} attachments by the legacy door`, 8, own, files),
  ),
];

/** Callers never meet on a ticket: each goes round its own. */
function own(caller: number, n: number): number {
  const callers = 256;
  const each = Math.floor((tickets - readTickets) / callers);
  return readTickets + 1 + caller * each + (n % each);
}

const body = (
  'Thank you for the photo. We ordered the part; it should be here on Thursday, and Karel will come by ' +
  'at nine. '
).repeat(2);

function write(
  name: string,
  callers: number,
  ticketOf: (caller: number, n: number) => number,
  files?: number,
): Scenario {
  let n = 0;
  return {
    name,
    callers,
    writes: true,
    request(dialect, token, caller) {
      n++;
      const message = {
        ticketId: ticketOf(caller, n),
        body,
        from: mailbox,
        cc: ['boss@customer.test'],
        key: randomUUID(),
        files: files ?? 0,
      };
      if (files !== undefined && dialect !== 'legacy') return undefined;
      return add(dialect, token, message);
    },
    problem: (dialect, answer) => addOf(dialect, answer),
  };
}

function read(name: string, what: Read, client: Client): Scenario {
  let n = 0;
  const asked: number[] = [];
  const requestOf = requestsOf(what, client);
  // An answer that is the same to the byte as one that was looked through is whole: the callers' own work is
  // not what is measured.
  const whole = new Map<string, Buffer>();
  return {
    name,
    callers: 32,
    writes: false,
    request(dialect, token, caller) {
      asked[caller] = ticketOf(n++);
      return requestOf(dialect, token, asked[caller]);
    },
    problem(dialect, answer, caller) {
      const key = `${dialect} ${asked[caller]}`;
      if (whole.get(key)?.equals(answer)) return undefined;
      if (!isWhole(what, answer)) return `not whole: ${answer.toString('utf8', 0, 500)}`;
      whole.set(key, Buffer.from(answer));
      return undefined;
    },
  };
}

/** What the HTTP and GraphQL layers cost by themselves. */
function nothingAtAll(name: string, callers: number): Scenario {
  return {
    name,
    callers,
    writes: false,
    request: (dialect, token) => nothing(dialect, token),
    problem: (_dialect, answer) =>
      answer.includes('"__typename":"Query"') ? undefined : answer.toString('utf8', 0, 500),
  };
}
