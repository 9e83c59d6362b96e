import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeOptions } from '../../support/node-options.ts';
import { freePort } from '../../support/servers/free-port.ts';

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const authorization = `Basic ${Buffer.from('operator:operator').toString('base64')}`;

export interface Desk extends AsyncDisposable {
  readonly endpoint: string;
  /** A message of ticket 47 as it was stored; `bytes`: of all its files. */
  findMessage(id: number): Promise<{ body: string; bytes: number } | undefined>;
}

interface Found {
  ticket: {
    messages: { edges: { node: { messageId: number; body: string; attachments: { byteSize: number }[] } }[] };
  };
}

/** The gateway as `npm start` runs it, with the demo desk, in a folder of its own. */
export async function startDesk(folder: string): Promise<Desk> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { ...process.env, PORT: String(port), DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'error' };
  const gateway = spawn(process.execPath, [...nodeOptions, main], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(gateway, 'exit');
  const isReady = () =>
    fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (gateway.exitCode !== null) throw new Error(`the gateway ended with ${gateway.exitCode}`);
    await sleep(100);
  }
  return {
    // A base URL that ends in a slash, as many are configured.
    endpoint: `${url}//api/Tickets/NewMessage`,
    async findMessage(id) {
      const query =
        '{ ticket(by: {ticketId: 47}) { messages(last: 3) { edges { node { messageId body attachments { ' +
        'byteSize } } } } } }';
      const headers = { authorization, 'content-type': 'application/json' };
      const answer = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ query }),
      });
      const { data, errors } = (await answer.json()) as { data?: Found; errors?: unknown };
      if (data === undefined) throw new Error(JSON.stringify(errors));
      const found = data.ticket.messages.edges
        .map(({ node }) => node)
        .find(({ messageId }) => messageId === id);
      return (
        found && {
          body: found.body,
          bytes: found.attachments.reduce((sum, { byteSize }) => sum + byteSize, 0),
        }
      );
    },
    async [Symbol.asyncDispose]() {
      gateway.kill('SIGTERM');
      await ended;
    },
  };
}
