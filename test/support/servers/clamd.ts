import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A server that speaks as much of clamd's protocol as we do, and finds a signature of our own. */
export interface ClamdStandIn extends AsyncDisposable {
  /** For CLAMD_URL. */
  readonly url: string;
  readonly port: number;
  /** What was scanned, in the order of the answers. */
  readonly scanned: readonly Buffer[];
  /** No more verdicts until the returned function is called. */
  hold(): () => void;
  /** Resolves once a file has arrived whole whose verdict is held. */
  arrived(): Promise<void>;
}

export const signature = 'TICKETWIRE-TEST-SIGNATURE';

export async function startClamd({ port = 0, maxBytes = Infinity } = {}): Promise<ClamdStandIn> {
  const scanned: Buffer[] = [];
  const sockets = new Set<Socket>();
  let gate: Promise<void> = Promise.resolve();
  let atGate = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.once('close', () => sockets.delete(socket));
    serve(socket, maxBytes, async (bytes) => {
      atGate.resolve();
      await gate;
      scanned.push(bytes);
      const name = /^name=(.*)/.exec(bytes.toString())?.[1] ?? 'Our.Own.Signature';
      return bytes.includes(signature) ? `stream: ${name} FOUND` : 'stream: OK';
    }).catch(() => socket.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const listening = (server.address() as AddressInfo).port;
  return {
    url: `clamd://127.0.0.1:${listening}`,
    port: listening,
    scanned,
    hold() {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      atGate = Promise.withResolvers();
      return held.resolve;
    },
    arrived: () => atGate.promise,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** One command a connection, as with clamd outside of a session. */
async function serve(
  socket: Socket,
  maxBytes: number,
  verdictOf: (bytes: Buffer) => Promise<string>,
): Promise<void> {
  let buffered = Buffer.alloc(0);
  const pieces = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const take = async (length: number): Promise<Buffer> => {
    while (buffered.length < length) {
      const { value, done } = await pieces.next();
      if (done) throw new Error('the client broke off');
      buffered = Buffer.concat([buffered, value]);
    }
    const taken = buffered.subarray(0, length);
    buffered = buffered.subarray(length);
    return taken;
  };
  let command = '';
  while (!command.endsWith('\0')) command += (await take(1)).toString('latin1');
  if (command === 'zPING\0') return void socket.end('PONG\0');
  if (command !== 'zINSTREAM\0') return void socket.end('UNKNOWN COMMAND\0');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const length = (await take(4)).readUInt32BE();
    if (length === 0) return void socket.end(`${await verdictOf(Buffer.concat(chunks))}\0`);
    bytes += length;
    if (bytes > maxBytes) return void socket.end('INSTREAM size limit exceeded. ERROR\0');
    chunks.push(Buffer.from(await take(length)));
  }
}
