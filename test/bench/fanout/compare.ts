import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatementCounter } from '../../graphql/statement-counter.ts';
import { cpuOf } from '../support/cpu.ts';
import { type Contender, type Size, type Writer, writersFor } from './contender.ts';
import { Readers } from './readers.ts';

interface Measured {
  readonly perSecond: number;
  /** Microseconds of the server's CPU for one delivery. */
  readonly cpu: number;
}

interface Opened {
  readonly one: Contender;
  readonly readers: Readers;
  /** Kibibytes of memory before its readers came. */
  readonly before: number;
  found: Measured[];
}

/** Kibibytes of memory that a process has now. */
const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]);

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

async function measure({ one, readers }: Opened, size: Size, writer: Writer): Promise<Measured> {
  const { count, events } = size;
  readers.expect(events);
  await sleep(50);
  const [began, cpu] = [performance.now(), cpuOf(one.pid)];
  const report = readers.report();
  await one.deliver(size, writer);
  const { wrong } = await report;
  if (wrong > 0) throw new Error(`${one.name}: ${wrong} of ${count} readers got the wrong events`);
  const deliveries = count * events;
  return {
    perSecond: (deliveries / (performance.now() - began)) * 1000,
    cpu: ((cpuOf(one.pid) - cpu) * 1000) / deliveries,
  };
}

async function openReaders(one: Contender, size: Size, parts: DisposableStack): Promise<Opened> {
  const readers = parts.use(new Readers());
  const before = memoryOf(one.pid);
  const requests = await one.requests(size);
  await readers.order({ kind: 'open', port: one.port, requests, count: size.count });
  return { one, readers, before, found: [] };
}

/** One line about a contender. */
function lineOf({ one, before, found }: Opened, { count, tickets }: Size, writer: Writer): string {
  const memory = (memoryOf(one.pid) - before) / count;
  const [perSecond, cpu] = [median(found.map((f) => f.perSecond)), median(found.map((f) => f.cpu))];
  const how = tickets === 1 ? '' : `, written by ${writer}`;
  return (
    `${one.name.padEnd(8)} ${count} readers on ${tickets}${how}: ${perSecond.toFixed(0)} deliveries a ` +
    `second, ${cpu.toFixed(1)} µs of CPU each, ${memory.toFixed(1)} KiB a connection`
  );
}

interface Rounds {
  readonly counter: StatementCounter;
  readonly rounds: number;
}

/** Measures both in each round, in turns. @returns the gateway's statements for an event */
async function runRounds(
  opened: readonly Opened[],
  { size, writer }: { readonly size: Size; readonly writer: Writer },
  { counter, rounds }: Rounds,
): Promise<number> {
  let statements = Number.NaN;
  for (const each of opened) each.found = [];
  for (let round = 0; round <= rounds; round += 1) {
    for (const each of round % 2 === 0 ? opened : opened.toReversed()) {
      const before = counter.executed;
      const measured = await measure(each, size, writer);
      if (each === opened[0]) statements = (counter.executed - before) / (size.events * size.tickets);
      if (round > 0) each.found.push(measured);
    }
  }
  return statements;
}

/** Measures both and says what it found, line by line. */
export async function* compare(
  size: Size,
  both: readonly [gateway: Contender, bare: Contender],
  rounds: Rounds,
): AsyncGenerator<string> {
  using parts = new DisposableStack();
  const opened = [await openReaders(both[0], size, parts), await openReaders(both[1], size, parts)];
  for (const writer of writersFor(size)) {
    const statements = await runRounds(opened, { size, writer }, rounds);
    for (const each of opened) yield lineOf(each, size, writer);
    const [gateway, bare] = opened.map(({ found }) => found) as [Measured[], Measured[]];
    const ratio = (of: keyof Measured) => median(gateway.map((g, n) => g[of] / bare[n]![of])).toFixed(2);
    yield `         ${ratio('perSecond')} × the deliveries a second, ${ratio('cpu')} × the CPU; ` +
      `${statements.toFixed(2)} statements of the gateway for an event, none lost or repeated`;
  }
  for (const { readers } of opened) await readers.order({ kind: 'close' });
}
