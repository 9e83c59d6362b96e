import { type Measured, quantile } from './support/load.ts';

/** What is measured of a contender. */
interface Figures {
  readonly perSecond: number;
  /** ms an operation: the contender's own process, and PostgreSQL with all of its sessions. */
  readonly serverCpuMs: number;
  readonly databaseCpuMs: number;
  /** The callers' own, which takes from the same cores. */
  readonly callersCpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One contender's round. */
export interface Round extends Figures {
  readonly round: number;
}

export interface Row {
  readonly contender: string;
  readonly rounds: readonly Round[];
}

/** The medians of a contender's figures over its rounds. */
export interface Summary extends Figures {
  readonly contender: string;
  /** Median of the rounds' own ratios to R, or to the first contender: both ran in one round. */
  readonly throughputRatio: number;
  readonly cpuRatio: number;
  readonly p50Ratio: number;
  /**
   * How many times as many operations a second the gateway does by its GraphQL door, in the same round; NaN
   * where it has no part.
   */
  readonly gatewayTimes: number;
  /** This one's CPU by that of the gateway's GraphQL door, in the same round; NaN as before. */
  readonly gatewayCpuRatio: number;
}

export function roundOf(round: number, measured: Measured, serverMs: number, databaseMs: number): Round {
  const { operations, elapsedMs, latenciesMs, callersCpuMs } = measured;
  return {
    round,
    perSecond: (operations * 1000) / elapsedMs,
    serverCpuMs: serverMs / operations,
    databaseCpuMs: databaseMs / operations,
    callersCpuMs: callersCpuMs / operations,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
  };
}

export function summarise(rows: readonly Row[]): Summary[] {
  const base = rows[0]!;
  const gateway = rows.find(({ contender }) => contender === 'Ticketwire GraphQL');
  return rows.map(({ contender, rounds }) => {
    const of = (value: (round: Round) => number) => median(rounds.map(value));
    const ratio = (value: (round: Round) => number) =>
      median(rounds.map((round, i) => value(round) / value(base.rounds[i]!)));
    return {
      contender,
      perSecond: of((r) => r.perSecond),
      serverCpuMs: of((r) => r.serverCpuMs),
      databaseCpuMs: of((r) => r.databaseCpuMs),
      callersCpuMs: of((r) => r.callersCpuMs),
      p50Ms: of((r) => r.p50Ms),
      p99Ms: of((r) => r.p99Ms),
      throughputRatio: ratio((r) => r.perSecond),
      cpuRatio: ratio((r) => r.serverCpuMs),
      p50Ratio: ratio((r) => r.p50Ms),
      gatewayTimes: median(
        rounds.map((round, i) => (gateway?.rounds[i]?.perSecond ?? Number.NaN) / round.perSecond),
      ),
      gatewayCpuRatio: median(
        rounds.map((round, i) => round.serverCpuMs / (gateway?.rounds[i]?.serverCpuMs ?? Number.NaN)),
      ),
    };
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

export function printTable(scenario: string, base: string, summaries: readonly Summary[]): string {
  const head = [
    '',
    'ops/s',
    `× ${base}`,
    'p50 ms',
    `× ${base}`,
    'p99 ms',
    'CPU ms',
    `× ${base}`,
    'PG CPU ms',
    'callers',
    'gateway ×',
    'CPU × gateway',
  ];
  const lines = summaries.map((s) => [
    s.contender,
    s.perSecond.toFixed(0),
    s.throughputRatio.toFixed(2),
    s.p50Ms.toFixed(2),
    s.p50Ratio.toFixed(2),
    s.p99Ms.toFixed(2),
    s.serverCpuMs.toFixed(3),
    s.cpuRatio.toFixed(2),
    s.databaseCpuMs.toFixed(3),
    s.callersCpuMs.toFixed(3),
    Number.isNaN(s.gatewayTimes) ? '' : s.gatewayTimes.toFixed(2),
    Number.isNaN(s.gatewayCpuRatio) ? '' : s.gatewayCpuRatio.toFixed(2),
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i]!.length)));
  const print = (line: readonly string[]) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return `\n${scenario}\n${[head, ...lines].map(print).join('\n')}\n`;
}
