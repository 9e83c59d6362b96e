import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asOperator } from '../../support/gateway.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { type Clamd, maxStreamMiB, signature, startClamd, wholeFile } from './clamd.ts';

/*
 * A gateway with Debian's clamd, by Unix socket and by TCP, and our own signatures. Clean files are mailed
 * and served, infected ones are not; files that clamd rejects wait, and while clamd is dead all files wait.
 * Exits 1 otherwise. Needs clamav-daemon.
 *
 * npm run test:clamd
 */

interface Seen {
  readonly scan: string | null;
  readonly download: number;
  readonly state: string;
  readonly failure: string | null;
}
let failed = 0;
function judge(what: string, seen: Seen, wanted: Partial<Record<keyof Seen, unknown>>): void {
  const wrong = Object.entries(wanted).filter(([key, value]) => {
    const found = seen[key as keyof Seen];
    return value instanceof RegExp ? !value.test(String(found)) : found !== value;
  });
  if (wrong.length > 0) failed += 1;
  process.stdout.write(`${wrong.length === 0 ? 'ok  ' : 'FAIL'} ${what}: ${JSON.stringify(seen)}\n`);
}

async function graphql(url: string, query: string, variables: object): Promise<never> {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: asOperator, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await answer.json()) as { data: Record<string, never>; errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return Object.values(data)[0]!;
}

/** Uploads a file and mails it. @returns the message's id */
async function send(url: string, bytes: Buffer): Promise<string> {
  const uploaded = await fetch(`${url}/uploads?fileName=file.bin`, {
    method: 'POST',
    headers: { authorization: asOperator, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
  });
  const { upload } = (await uploaded.json()) as { upload: string };
  const input = {
    ticket: { reference: 'INC-000047' },
    body: 'With a file',
    attachments: [{ upload }],
    email: { from: 'company@domain.com' },
  };
  const added: { ticketMessage: { id: string } } = await graphql(
    url,
    'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { ... on ' +
      'AddTicketMessagePayload { ticketMessage { id } } } }',
    { input },
  );
  return added.ticketMessage.id;
}

async function look(url: string, id: string): Promise<Seen> {
  const { attachments, delivery } = await graphql(
    url,
    'query ($id: ID!) { node(id: $id) { ... on TicketMessage { attachments { id scan } delivery { state ' +
      'failure } } } }',
    { id },
  );
  const [file] = attachments as { id: string; scan: string | null }[];
  const address = `${url}/attachments/${encodeURIComponent(file!.id)}`;
  const { status } = await fetch(address, { method: 'HEAD', headers: { authorization: asOperator } });
  const { state, failure } = delivery as { state: string; failure: string | null };
  return { scan: file!.scan, download: status, state, failure };
}

async function until(url: string, id: string, reached: (seen: Seen) => boolean): Promise<Seen> {
  for (let n = 0; n < 600; n += 1) {
    const seen = await look(url, id);
    if (reached(seen)) return seen;
    await sleep(100);
  }
  return look(url, id);
}
const settled = ({ state }: Seen) => state === 'SENT' || state === 'FAILED';

async function run(
  CLAMD_URL: string,
  clamd: Clamd,
  again: () => Promise<Clamd>,
  directory: string,
): Promise<Clamd> {
  const gateway = await startGatewayProcess({ DATA_DIR: join(directory, 'desk'), CLAMD_URL });
  const { url } = gateway;
  process.stdout.write(`${CLAMD_URL}\n`);
  const clean = await send(url, Buffer.alloc(3_000_000, 'clean '));
  judge('a clean file', await until(url, clean, settled), { scan: 'CLEAN', download: 200, state: 'SENT' });
  const inside = Buffer.concat([Buffer.alloc(2_000_000, 'x'), Buffer.from(signature), Buffer.alloc(100_000)]);
  const infected = { scan: 'INFECTED', download: 404, state: 'FAILED' };
  judge('a signature inside', await until(url, await send(url, inside), settled), {
    ...infected,
    failure: /infected: file\.bin \(Ticketwire\.Anywhere\.UNOFFICIAL\)/,
  });
  judge('a known file', await until(url, await send(url, wholeFile), settled), {
    ...infected,
    failure: /Ticketwire\.Whole/,
  });
  const large = await send(url, Buffer.alloc((maxStreamMiB + 1) * 1024 * 1024));
  judge('more than it takes', await until(url, large, ({ failure }) => /could not/.test(failure ?? '')), {
    ...{ scan: 'PENDING', download: 200, state: 'QUEUED' },
    failure: /INSTREAM size limit exceeded/,
  });
  await clamd[Symbol.asyncDispose]();
  const waiting = await send(url, Buffer.from('while it is away'));
  judge('while it is dead', await until(url, waiting, ({ failure }) => /does not/.test(failure ?? '')), {
    ...{ scan: 'PENDING', download: 200, state: 'QUEUED' },
  });
  const back = await again();
  judge('once it is back', await until(url, waiting, settled), {
    scan: 'CLEAN',
    download: 200,
    state: 'SENT',
  });
  await gateway.stop();
  return back;
}

const directory = await mkdtemp(join(tmpdir(), 'ticketwire-clamd-'));
try {
  const port = await freePort();
  const start = () => startClamd(directory, port);
  let clamd = await start();
  for (const url of [`unix:${clamd.socket}`, `clamd://127.0.0.1:${port}`])
    clamd = await run(url, clamd, start, directory);
  await clamd[Symbol.asyncDispose]();
} finally {
  await rm(directory, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
