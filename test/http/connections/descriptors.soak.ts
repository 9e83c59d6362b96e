import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { startGatewayProcess } from '../../crash/support/gateway-process.ts';
import { hasProcessStatus, openFilesOf } from '../../crash/support/process-status.ts';
import { openTcpDoor } from '../../crash/support/tcp-door.ts';
import { createTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { asOperator, multipart } from '../../support/gateway.ts';

const openFiles = 240;
const mutation = `mutation($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
  ... on AddTicketMessagePayload { ticketMessage { messageId } } } }`;

/** A message with a file, over a connection that is kept. @returns its id */
async function send(url: string, agent: Agent): Promise<number> {
  const input = { ticket: { ticketId: 47 }, body: 'With a file', attachments: [{ file: null }] };
  const form = new Response(multipart(mutation, { input }, [Buffer.alloc(100_000, 7)]));
  const req = request(`${url}/graphql`, {
    ...{ agent, method: 'POST' },
    headers: {
      ...{ authorization: asOperator, accept: 'application/json', 'graphql-preflight': '1' },
      'content-type': form.headers.get('content-type')!,
    },
  }).end(Buffer.from(await form.arrayBuffer()));
  const [res] = await once(req, 'response');
  const answer = (await json(res)) as {
    data: { addTicketMessage: { ticketMessage: { messageId: number } } };
  };
  return answer.data.addTicketMessage.ticketMessage.messageId;
}

test.runIf(hasProcessStatus)(
  'connections over the bound of open files are closed, the others are served, nothing is lost',
  async () => {
    await using parts = new AsyncDisposableStack();
    const database = parts.use(await createTestDatabase('demo'));
    const door = parts.use(await openTcpDoor(database.connection));
    const directory = await mkdtemp(join(tmpdir(), 'ticketwire-test-'));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    const settings = {
      DATABASE_URL: door.urlOf(database.connection),
      DATABASE_OWNER_URL: door.urlOf(database.ownerConnection),
      SMTP_URL: 'smtp://127.0.0.1:9',
      BLOBS_URL: pathToFileURL(join(directory, 'blobs')).href,
    };
    const gateway = parts.use(await startGatewayProcess(settings, openFiles));
    const { hostname, port } = new URL(gateway.url);
    const agent = new Agent({ keepAlive: true, maxSockets: 10 });
    parts.defer(() => agent.destroy());
    const sendTen = () => Promise.all(Array.from({ length: 10 }, () => send(gateway.url, agent)));
    const acknowledged = await sendTen();

    const strangers: Socket[] = [];
    parts.defer(() => strangers.forEach((socket) => void socket.destroy()));
    let closed = 0;
    for (let n = 0; n < 2 * openFiles; n += 1) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {}).once('close', () => (closed += 1));
      strangers.push(socket);
    }
    const most = openFiles / 2;
    await expect.poll(() => closed).toBe(strangers.length + 10 - most);
    // Whoever is connected is served, files and all.
    for (let n = 0; n < 3; n += 1) acknowledged.push(...(await sendTen()));
    expect(openFilesOf(gateway.pid).length).toBeLessThan(openFiles);
    expect(gateway.output.join('\n')).toContain('connections refused: too many are open');

    for (const socket of strangers) socket.destroy();
    await eventually(async () => (await fetch(`${gateway.url}/health/ready`).catch(() => undefined))?.ok);
    acknowledged.push(...(await sendTen()));
    const rows = await database.database.raw`
      select m.id, count(a.id)::int as files from messages m join attachments a on a.message_id = m.id
      where m.id = any(${acknowledged}) group by m.id`;
    expect(rows).toHaveLength(50);
    expect(rows.every(({ files }) => files === 1)).toBe(true);
  },
);
