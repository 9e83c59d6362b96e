/*
 * Slow-loris: Debian's slowhttptest opens 1,000 connections that send their headers, or their bodies, a few
 * bytes at a time. Measures other callers' latency before and during each attack, at the gateway itself and
 * behind the documented nginx. Their p99 must stay below twice that of the quiet time.
 *
 *   npm run test:slowloris [-- --connections 1000 --seconds 20]
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify, stripVTControlCharacters } from 'node:util';
import { startGatewayProcess } from '../crash/support/gateway-process.ts';
import { createProductionDesk } from '../crash/support/production-desk.ts';
import { startSinkProcess } from '../support/servers/smtp-sink-process.ts';
import { startNginx } from './nginx.ts';

const { values } = parseArgs({
  options: { connections: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '20' } },
});
const seconds = Number(values.seconds);
const body = JSON.stringify({ query: '{ viewer { person { name } } }' });
const tell = (line: string) => process.stdout.write(`${line}\n`);
const violations: string[] = [];

/** Calls the door once and resolves with the milliseconds until the whole response is there. */
type Call = () => Promise<number>;

interface Door {
  readonly name: string;
  readonly url: string;
  readonly call: Call;
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

/** Four callers, each pausing 25 ms after a call, until `until` holds; p50 and p99 in milliseconds. */
async function measure(
  call: Call,
  until: () => boolean,
): Promise<{ p50: number; p99: number; calls: number }> {
  const times: number[] = [];
  const callers = Array.from({ length: 4 }, async () => {
    while (!until()) {
      times.push(await call());
      await sleep(25);
    }
  });
  await Promise.all(callers);
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), calls: times.length };
}

const attacks = { headers: ['-H'], body: ['-B', '-s', '8192', '-t', 'POST'] };

async function attack(door: Door, options: readonly string[]): Promise<string> {
  const args = [
    ...[...options, '-u', `${door.url}/graphql`, '-c', values.connections, '-r', values.connections],
    ...['-i', '2', '-l', values.seconds, '-p', '3'],
  ];
  const { stdout } = await promisify(execFile)('slowhttptest', args, { maxBuffer: 64 << 20 });
  return stripVTControlCharacters(stdout);
}

async function judge(door: Door): Promise<void> {
  await measure(door.call, after(3));
  for (const [name, options] of Object.entries(attacks)) {
    const quiet = await measure(door.call, after(seconds));
    tell(`${door.name}, quiet: ${show(quiet)}`);
    let over = false;
    const attacking = attack(door, options).finally(() => {
      over = true;
    });
    const busy = await measure(door.call, () => over);
    const most = Math.max(
      0,
      ...[...(await attacking).matchAll(/connected:\s+(\d+)/g)].map(([, n]) => Number(n)),
    );
    tell(`${door.name}, slow ${name}, ${most} connections open: ${show(busy)}`);
    if (most < Number(values.connections) / 2)
      violations.push(`${door.name}: ${most} connections are no attack`);
    if (busy.p99 >= 2 * quiet.p99) violations.push(`${door.name}: p99 with slow ${name}`);
  }
}

const after = (duration: number) => {
  const end = performance.now() + duration * 1000;
  return () => performance.now() > end;
};
const show = ({ p50, p99, calls }: { p50: number; p99: number; calls: number }) =>
  `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms of ${calls} calls`;

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
  await judge({
    ...{ name: 'the gateway', url: gateway.url },
    call: caller(() => request(`${gateway.url}/graphql`, plain)),
  });
  await judge({
    ...{ name: 'behind nginx', url: `https://127.0.0.1:${nginx.httpsPort}` },
    call: caller(() => tlsRequest(tls)),
  });
  plain.agent.destroy();
  tls.agent.destroy();
}

const directory = await mkdtemp(join(tmpdir(), 'ticketwire-slowloris-'));
await chmod(directory, 0o711);
try {
  await main(directory);
} finally {
  await rm(directory, { recursive: true, force: true });
}
tell(violations.length === 0 ? 'no violation' : `violations: ${violations.join('; ')}`);
process.exit(violations.length === 0 ? 0 : 1);
