/*
 * Slow-loris: Debian's slowhttptest opens 1,000 connections that send their headers, or their bodies, a few
 * bytes at a time. Measures other callers' latency at the gateway itself and behind the documented nginx.
 *
 * The attacker takes part of the machine wherever it aims. Rounds against the gateway therefore alternate
 * with rounds against a bystander, a bare server that nobody else calls, which has an nginx of its own when
 * the gateway has: what differs is the gateway's doing. p99 must stay below twice that of such a round.
 *
 *   npm run test:slowloris [-- --connections 1000 --seconds 10 --rounds 2]
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { cpuOf } from '../bench/support/cpu.ts';
import { startGatewayProcess } from '../crash/support/gateway-process.ts';
import { createProductionDesk } from '../crash/support/production-desk.ts';
import { runInFolder, tell, violations } from '../crash/support/verdict.ts';
import { startSinkProcess } from '../support/servers/smtp-sink-process.ts';
import { startNginx } from './nginx.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '2' },
  },
});
const body = JSON.stringify({ query: '{ viewer { person { name } } }' });

/** Calls the door once and resolves with the milliseconds until the whole response is there. */
type Call = () => Promise<number>;

interface Door {
  readonly name: string;
  readonly url: string;
  /** Of the gateway behind it. */
  readonly pid: number;
  readonly call: Call;
  /** Where slowhttptest writes what it counted: a path without its ending. */
  readonly report: string;
}

function caller(send: () => ReturnType<typeof request>): Call {
  return async () => {
    const began = performance.now();
    const req = send();
    req.end(body);
    const [res] = await once(req, 'response');
    let text = '';
    for await (const chunk of res.setEncoding('utf8')) text += chunk;
    if (!text.includes('Olga')) throw new Error(`${res.statusCode}: ${text.slice(0, 200)}`);
    return performance.now() - began;
  };
}

/** Four callers, with a pause of 25 ms after each call, until `until` holds: milliseconds of each call. */
async function measure(call: Call, until: () => boolean): Promise<number[]> {
  const times: number[] = [];
  const callers = Array.from({ length: 4 }, async () => {
    while (!until()) {
      times.push(await call());
      await sleep(25);
    }
  });
  await Promise.all(callers);
  return times;
}

/** What the callers of some rounds saw, and what it cost the gateway. */
class Seen {
  readonly times: number[] = [];
  cpuMs = 0;
  /** The attacker's connections. */
  open = 0;

  at(share: number): number {
    return this.times.sort((x, y) => x - y)[Math.floor(this.times.length * share)] ?? Number.NaN;
  }

  toString(): string {
    const [p50, p99] = [this.at(0.5), this.at(0.99)].map((ms) => ms.toFixed(1));
    const cpu = (this.cpuMs / this.times.length).toFixed(2);
    const calls = `${this.times.length} calls, CPU ${cpu} ms a call`;
    return `p50 ${p50} ms, p99 ${p99} ms of ${calls}, ${this.open} slow connections`;
  }
}

/** A form is refused before its body is read, so that its connections do not stay. JSON is waited for. */
const attacks = {
  headers: ['-H'],
  body: ['-B', '-s', '8192', '-t', 'POST', '-f', 'application/json'],
  form: ['-B', '-s', '8192', '-t', 'POST'],
};

/** @returns how many connections it made: those that are open, and those that were closed on it */
async function attack(url: string, options: readonly string[], report: string): Promise<number> {
  const args = [
    ...[...options, '-u', `${url}/graphql`, '-c', values.connections, '-r', values.connections],
    ...['-i', '2', '-l', values.seconds, '-p', '3', '-g', '-o', report],
  ];
  await promisify(execFile)('slowhttptest', args, { maxBuffer: 64 << 20 });
  // A line for each second: seconds, closed, pending, connected, service available.
  const lines = (await readFile(`${report}.csv`, 'utf8')).trim().split('\n').slice(1);
  const made = lines
    .map((line) => line.split(','))
    .map(([, closed, , open]) => Number(closed) + Number(open));
  return Math.max(0, ...made);
}

/** One attack on `url`, while the door is called. */
async function round(door: Door, url: string, options: readonly string[], seen: Seen): Promise<void> {
  const cpu = cpuOf(door.pid);
  // An attacker whose connections are closed ends early: both kinds of rounds are watched for as long.
  let over = false;
  const attacking = Promise.all([
    attack(url, options, door.report),
    sleep(1000 * Number(values.seconds)),
  ]).finally(() => {
    over = true;
  });
  seen.times.push(...(await measure(door.call, () => over)));
  seen.cpuMs += cpuOf(door.pid) - cpu;
  const [open] = await attacking;
  seen.open = Math.max(seen.open, open);
}

async function judge(door: Door, bystander: string): Promise<void> {
  for (let n = 0; n < 100; n += 1) await door.call();
  for (const [name, options] of Object.entries(attacks)) {
    const [beside, under] = [new Seen(), new Seen()];
    for (let n = 0; n < Number(values.rounds); n += 1) {
      await round(door, bystander, options, beside);
      await round(door, door.url, options, under);
    }
    tell(`${door.name}, slow ${name} at the bystander: ${beside}`);
    tell(`${door.name}, slow ${name} at it: ${under}`);
    tell(`     p99 ${(under.at(0.99) / beside.at(0.99)).toFixed(2)} ×`);
    if (under.open < Number(values.connections) / 2)
      violations.push(`${door.name}: ${under.open} connections are no attack`);
    if (under.at(0.99) >= 2 * beside.at(0.99)) violations.push(`${door.name}: p99 with slow ${name}`);
  }
}

/** A bare server in a process of its own, which takes what the attacker sends. @returns its URL */
async function startBystander(): Promise<AsyncDisposable & { readonly url: string }> {
  const script = `require('http').createServer((req, res) => req.resume().on('end', () => res.end()))
    .listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;
  const child: ChildProcess = spawn(process.execPath, ['--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(child.stdout!, 'data');
  return {
    url: `http://127.0.0.1:${String(port).trim()}`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, 'close');
    },
  };
}

async function main(directory: string): Promise<void> {
  await using sink = await startSinkProcess(join(directory, 'mails'));
  await using desk = await createProductionDesk(directory, sink.url);
  const settings = { ...desk.env, NODE_ENV: 'production', PUBLIC_URL: 'https://desk.example.com' };
  await using gateway = await startGatewayProcess({ ...settings, TRUST_PROXY: '1' });
  await using nginx = await startNginx(directory, [new URL(gateway.url).host]);
  const headers = { Authorization: desk.credentials.token, 'Content-Type': 'application/json' };
  const plain = { agent: new Agent({ keepAlive: true }), method: 'POST', headers };
  const tls = {
    ...{ host: '127.0.0.1', port: nginx.httpsPort, path: '/graphql', method: 'POST' },
    ...{ agent: new TlsAgent({ keepAlive: true }), ca: nginx.certificate, servername: 'desk.example.com' },
    headers: { ...headers, Host: 'desk.example.com' },
  };
  await using bystander = await startBystander();
  const direct = caller(() => request(`${gateway.url}/graphql`, plain));
  const shared = { pid: gateway.pid, report: join(directory, 'slowhttptest') };
  await judge({ ...shared, name: 'the gateway', url: gateway.url, call: direct }, bystander.url);
  const proxied = `https://127.0.0.1:${nginx.httpsPort}`;
  const through = caller(() => tlsRequest(tls));
  const folder = join(directory, 'bystander');
  await mkdir(folder);
  await using other = await startNginx(folder, [new URL(bystander.url).host]);
  const aside = `https://127.0.0.1:${other.httpsPort}`;
  await judge({ ...shared, name: 'behind nginx', url: proxied, call: through }, aside);
  plain.agent.destroy();
  tls.agent.destroy();
}

await runInFolder('slowloris', main);
