import { Connection } from './http-client.ts';

export interface Load {
  readonly port: number;
  readonly callers: number;
  readonly durationMs: number;
  /** Each caller sends its next request as soon as it has its answer. */
  request(caller: number): string;
  /** What is wrong with an answer's body, if anything is. */
  problem(body: Buffer, caller: number): string | undefined;
}

export interface Measured {
  readonly operations: number;
  /** From the first request to the last answer, ms. */
  readonly elapsedMs: number;
  /** Ascending, ms. */
  readonly latenciesMs: Float64Array;
  /** CPU time of the callers themselves, ms, which the servers could not use. */
  readonly callersCpuMs: number;
  readonly problems: number;
  readonly firstProblem: string | undefined;
}

/** Runs until the time is up and every request has its answer. */
export async function run({ port, callers, durationMs, request, problem }: Load): Promise<Measured> {
  const latencies: number[] = [];
  let problems = 0;
  let firstProblem: string | undefined;
  const connections = Array.from({ length: callers }, () => new Connection(port));
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  const deadline = started + durationMs;
  await Promise.all(
    connections.map(async (connection, caller) => {
      for (let now = performance.now(); now < deadline; ) {
        const { status, body } = await connection.send(request(caller));
        const wrong =
          status === 200 ? problem(body, caller) : `HTTP ${status}: ${body.toString('utf8', 0, 500)}`;
        const then = performance.now();
        if (wrong === undefined) latencies.push(then - now);
        else {
          problems++;
          firstProblem ??= wrong;
        }
        now = then;
      }
    }),
  );
  const elapsedMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpuBefore);
  for (const connection of connections) connection.close();
  const latenciesMs = Float64Array.from(latencies).sort();
  return {
    ...{ operations: latencies.length, elapsedMs, latenciesMs, problems, firstProblem },
    callersCpuMs: (user + system) / 1000,
  };
}

/** @param q between 0 and 1. */
export const quantile = (ascending: Float64Array, q: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * q))] ?? Number.NaN;
