/*
 * What it costs to be watched: CPU of the gateway's own process for each request, with its lines in the log,
 * its limits and its traces on and off, in interleaved rounds; and what an idle gateway uses of a core.
 *
 * npm run bench:observed            [-- --rounds 5 --requests 4000 --idle 20]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type GatewayProcess, startGatewayProcess } from '../crash/support/gateway-process.ts';
import { asOperator } from '../support/gateway.ts';
import { cpuOf } from './support/cpu.ts';
import { Connection, postRequest } from './support/http-client.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '4000' },
    idle: { type: 'string', default: '20' },
  },
});
const [rounds, requests, idle] = [values.rounds, values.requests, values.idle].map(Number) as [
  number,
  number,
  number,
];
const callers = 8;

const traces = createServer((req, res) => {
  req.resume().on('end', () => res.end('{}'));
}).listen(0, '127.0.0.1');
const endpoint = () => `http://127.0.0.1:${(traces.address() as AddressInfo).port}`;
const bare = { LOG_LEVEL: 'silent', RATE_LIMITS: 'off' };
const variants = {
  nothing: () => bare,
  'log lines': () => ({ ...bare, LOG_LEVEL: 'info' }),
  'limits in memory': () => ({ ...bare, RATE_LIMITS: 'memory', RATE_LIMIT_VIEWER: '1000000000' }),
  traces: () => ({ ...bare, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint() }),
} as const;

const query =
  '{ ticket(by: { ticketId: 47 }) { subject messages(last: 5) { edges { node { bodyText } } } } }';
const message = postRequest('/graphql', { authorization: asOperator }, JSON.stringify({ query }));

/** @returns microseconds of CPU for each request */
async function measure({ url, pid }: GatewayProcess): Promise<number> {
  const connections = Array.from({ length: callers }, () => new Connection(Number(new URL(url).port)));
  const before = cpuOf(pid);
  await Promise.all(
    connections.map(async (connection) => {
      for (let n = 0; n < requests / callers; n++) {
        const { status, body } = await connection.send(message);
        if (status !== 200) throw new Error(`HTTP ${status}: ${body}`);
      }
    }),
  );
  const spent = cpuOf(pid) - before;
  for (const connection of connections) connection.close();
  return (spent * 1000) / requests;
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

async function main(): Promise<void> {
  await using parts = new AsyncDisposableStack();
  parts.defer(() => void traces.close());
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-observed-'));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const running = new Map<string, GatewayProcess>();
  for (const [name, env] of Object.entries(variants)) {
    const dataDir = join(directory, name.replaceAll(' ', '-'));
    const gateway = await startGatewayProcess({ ...env(), DATA_DIR: dataDir });
    parts.defer(async () => void (await gateway.stop()));
    running.set(name, gateway);
  }
  const [first] = running.values();
  await sleep(5000);
  const before = cpuOf(first!.pid);
  await sleep(idle * 1000);
  const share = (cpuOf(first!.pid) - before) / (idle * 10);
  process.stdout.write(`idle gateway with its worker: ${share.toFixed(2)} % of a core in ${idle} s\n`);

  const found = new Map<string, number[]>([...running.keys()].map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    // The first round compiles.
    for (const [name, gateway] of round % 2 === 0 ? running : [...running].reverse()) {
      const each = await measure(gateway);
      if (round > 0) found.get(name)!.push(each);
    }
  }
  const base = median(found.get('nothing')!);
  for (const [name, each] of found) {
    const cost = median(each);
    const more = ((cost / base - 1) * 100).toFixed(1);
    process.stdout.write(`${name.padEnd(18)} ${cost.toFixed(0).padStart(5)} µs a request  ${more} %\n`);
  }
}

await main();
