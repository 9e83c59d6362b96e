/*
 * Readers of event streams, in a separate process. Its parent says how many to open and how many events each
 * should get; it answers when all have them.
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

const readers: Reader[] = [];
let expected = Number.POSITIVE_INFINITY;
let complete = 0;
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
    socket.setEncoding('latin1').on('error', reject).write(request);
    socket.on('data', (chunk: string) => {
      if (!chunk.includes('no ') && rest === '') return resolve();
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
  if (reader.events !== expected) return;
  complete += 1;
  if (complete === readers.length) say('expect');
}

process.on('message', async (order: Order) => {
  if (order.kind === 'expect') {
    expected = order.events;
    complete = 0;
    for (const reader of readers) Object.assign(reader, { events: 0, last: -1 });
    return;
  }
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
