/*
 * npm run bench:clients [-- --rounds N] [--requests N]
 *
 * What the GraphQL layer costs each client's default request, in CPU: against bare node:http, which reads and
 * parses the same body and writes the same one, and against what it costs curl. The second row is bare
 * node:http with the request and the headers of the layer's first row, which shows what these cost.
 * Interleaved; the median of the rounds. It fails when an answer is wrong.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { clients } from '../support/clients.ts';
import { cpuOf } from './support/cpu.ts';
import { Connection, postRequest } from './support/http-client.ts';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, requests: { type: 'string', default: '10000' } },
});
const rounds = Number(options.rounds);
const requests = Number(options.requests);
const callers = 32;

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
}
async function start(program: string): Promise<Server> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = fork(file, [], { env: { ...process.env, NODE_ENV: 'production', DATABASE_POOL: '1' } });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

/** CPU for one request, microseconds. */
async function measure({ child, port }: Server, request: string): Promise<number> {
  const before = cpuOf(child.pid!);
  let left = requests;
  const caller = async () => {
    const connection = new Connection(port);
    while (left-- > 0) {
      const { body } = await connection.send(request);
      if (!body.includes('"__typename":"Query"')) throw new Error(`a wrong answer: ${body.toString()}`);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return ((cpuOf(child.pid!) - before) * 1000) / requests;
}

const query = '{ __typename }';
const [bare, layer] = await Promise.all([start('./peers/bare.ts'), start('./layer.ts')]);
const contenders = [
  { name: 'bare node:http', server: bare, request: postRequest('/nothing', {}, JSON.stringify({ query })) },
  {
    name: "bare, with the layer's headers",
    server: bare,
    request: postRequest('/nothing-with-headers', clients.curl.headers, clients.curl.body({ query })),
  },
  ...Object.entries(clients).map(([name, { headers, body }]) => ({
    name,
    server: layer,
    request: postRequest('/graphql', headers, body({ query })),
  })),
];
const found = contenders.map((): number[] => []);
// The first round is to warm up.
for (let round = 0; round <= rounds; round += 1) {
  for (let turn = 0; turn < contenders.length; turn += 1) {
    const n = (turn + round) % contenders.length;
    const { server, request } = contenders[n]!;
    const cpu = await measure(server, request);
    if (round > 0) found[n]!.push(cpu);
  }
}
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const [ofBare, ofCurl] = [median(found[0]!), median(found[2]!)];
process.stdout.write('| client | CPU, µs | × bare | × curl |\n|---|---:|---:|---:|\n');
for (const [n, { name }] of contenders.entries()) {
  const cpu = median(found[n]!);
  process.stdout.write(
    `| ${name} | ${cpu.toFixed(1)} | ${(cpu / ofBare).toFixed(2)} | ${(cpu / ofCurl).toFixed(2)} |\n`,
  );
}
for (const { child } of [bare, layer]) child.kill();
