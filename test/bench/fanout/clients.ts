/*
 * Readers of streams of events, in a process of their own. Its parent says how many to open and how many
 * events each of them should get; it answers when all have them.
 */
import { connect } from 'node:net';

export type Order =
  | {
      readonly kind: 'open';
      readonly port: number;
      readonly requests: readonly string[];
      readonly count: number;
    }
  | { readonly kind: 'expect'; readonly events: number }
  | { readonly kind: 'close' };
export interface Report {
  readonly kind: Order['kind'];
  /** Readers whose events were not as many as expected, or not all different, or not in order. */
  readonly wrong: number;
}

interface Reader {
  readonly close: () => void;
  events: number;
  /** The number of the last event, as its text says. */
  last: number;
  isWrong: boolean;
}

/** No server needs so long for its next event, milliseconds: what is missing then is lost. */
const lostAfterMs = 60_000;

const readers: Reader[] = [];
let expected = Number.POSITIVE_INFINITY;
let complete = 0;
let watchdog: NodeJS.Timeout | undefined;
const say = (kind: Order['kind']) =>
  process.send!({ kind, wrong: readers.filter(({ isWrong }) => isWrong).length } satisfies Report);

/** Every event has its number in its text: `no 17.` */
const numbers = /no (\d+)\./g;

function open(port: number, request: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const reader: Reader = { close: () => socket.destroy(), events: 0, last: -1, isWrong: false };
    readers.push(reader);
    let rest = '';
    let lastChunk = '';
    let isOpen = false;
    socket.setEncoding('latin1').write(request);
    socket.on('error', (error) => {
      if (isOpen) throw error;
      reject(error);
    });
    socket.on('end', () => {
      const { events } = reader;
      throw new Error(`the server ended a stream after ${events} of ${expected} events: ${lastChunk}`);
    });
    socket.on('data', (chunk: string) => {
      if (!isOpen) {
        if (!chunk.startsWith('HTTP/1.1 200')) return reject(new Error(`the server answered ${chunk}`));
        isOpen = true;
        resolve();
      }
      lastChunk = chunk;
      rest += chunk;
      let end = 0;
      for (const match of rest.matchAll(numbers)) {
        end = match.index + match[0].length;
        count(reader, Number(match[1]));
      }
      rest = rest.slice(Math.max(end, rest.length - 20));
    });
  });
}

function count(reader: Reader, number: number): void {
  if (number !== reader.last + 1) reader.isWrong = true;
  reader.last = number;
  reader.events += 1;
  watchdog?.refresh();
  if (reader.events !== expected) return;
  complete += 1;
  if (complete < readers.length) return;
  clearTimeout(watchdog);
  say('expect');
}

function expectEvents(events: number): void {
  expected = events;
  complete = 0;
  for (const reader of readers) Object.assign(reader, { events: 0, last: -1 });
  clearTimeout(watchdog);
  watchdog = setTimeout(() => {
    const lacking = readers.filter((reader) => reader.events < events);
    const some = lacking.slice(0, 5).map((reader) => `${reader.events}`);
    throw new Error(`${lacking.length} readers lack events; the first of them have ${some}, not ${events}`);
  }, lostAfterMs);
}

process.on('message', async (order: Order) => {
  if (order.kind === 'expect') return expectEvents(order.events);
  if (order.kind === 'open') {
    for (let n = 0; n < order.count; n += 50) {
      const some = Array.from({ length: Math.min(50, order.count - n) }, (_, at) =>
        open(order.port, order.requests[(n + at) % order.requests.length]!),
      );
      await Promise.all(some);
    }
  } else {
    for (const { close } of readers.splice(0)) close();
  }
  say(order.kind);
});
process.once('disconnect', () => process.exit());
