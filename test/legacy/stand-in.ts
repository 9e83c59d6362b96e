import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLegacyEndpoint, type LegacyPorts } from '../../src/legacy/endpoint.ts';
import type { Execute } from '../../src/legacy/execute-new-message.ts';
import type { MessageInput } from '../../src/legacy/load-operations.ts';
import type { IncomingFile } from '../../src/platform/incoming-file.ts';
import { createLog } from '../../src/platform/log.ts';
import type { RequestContext, Viewer } from '../../src/platform/request-context.ts';
import { readAll } from '../support/servers/read-all.ts';
import { receiveDigest } from './received.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const viewer: Viewer = {
  userId: 1,
  login: 'operator',
  name: 'Operator',
  role: 'OPERATOR',
  scopes: new Set(['read', 'write', 'mail', 'admin']),
};

/** A file as the command would have read it. */
export interface ReadFile {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly sha256: string;
}

/**
 * The door on its own server, with a stand-in for the desk that reads the files and answers that the message
 * is stored. What needs a desk is tested on a whole gateway.
 */
export async function startDoor(ports: Partial<LegacyPorts> = {}) {
  const inputs: MessageInput[] = [];
  const files: ReadFile[] = [];
  let open = 0;
  const context: RequestContext = {
    requestId: 'test',
    signInAgain: async () => undefined,
    viewer,
    idempotencyKey: undefined,
    origin: 'http://localhost',
    isOwnOrigin: () => false,
    now: () => new Date(),
    log: createLog('silent'),
    notes: { door: 'legacy' },
    receive: async (source, list) => {
      open += 1;
      try {
        return await receiveDigest(source, list);
      } finally {
        open -= 1;
      }
    },
  };
  const execute = async (operation: { name: string }, variables: unknown) => {
    if (operation.name === 'FindLegacyTicket') {
      return { data: { byId: { ticketId: 1 }, byReference: { ticketId: 1 } } };
    }
    const { input } = variables as { input: MessageInput };
    for (const { file } of (input.attachments ?? []) as { file: IncomingFile }[]) {
      const { byteSize: size, sha256 } = await file.received;
      files.push({ name: file.fileName, type: file.contentType, size, sha256: sha256.toString('hex') });
    }
    inputs.push(input);
    return {
      data: {
        addTicketMessage: {
          __typename: 'AddTicketMessagePayload',
          ticketMessage: { messageId: 123 },
          replayed: false,
        },
      },
    };
  };
  const door = createLegacyEndpoint({
    begin: async () => context,
    execute: execute as unknown as Execute,
    limits: { maxBodyBytes: 40_000_000 },
    ...ports,
  });
  const server = createServer((req, res) => void door(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    server,
    context,
    inputs,
    files,
    /** Files that are being received. */
    get open() {
      return open;
    },
    call: (options: RequestOptions & { body?: Buffer | string; chunked?: boolean } = {}) =>
      call(port, options),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One request as an old client would send it: to the host `localhost`, on a connection of its own. */
export async function call(
  port: number,
  { body = '', chunked = false, ...options }: RequestOptions & { body?: Buffer | string; chunked?: boolean },
): Promise<Answer> {
  const bytes = Buffer.from(body);
  const framing = chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': bytes.length };
  const outgoing = request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: '/api/Tickets/NewMessage',
    agent: false,
    ...options,
    headers: { Host: 'localhost', ...framing, ...(options.headers as Record<string, string>) },
  });
  const answered = new Promise<Answer>((resolve, reject) => {
    outgoing.on('error', reject).on('response', (response) => {
      readAll(response).then(
        (received) => resolve({ status: response.statusCode!, headers: response.headers, body: received }),
        reject,
      );
    });
  });
  outgoing.end(bytes);
  return answered;
}
