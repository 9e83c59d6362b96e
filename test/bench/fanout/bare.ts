/* A server that does nothing but write: what a delivery costs at least. Its parent says what to write. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

export interface ToWrite {
  readonly text: string;
  readonly times: number;
}

const open = new Set<ServerResponse>();
const server = createServer((req, res) => {
  req.resume();
  res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' });
  res.write(':\n\n');
  open.add(res);
  res.once('close', () => open.delete(res));
});
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
process.on('message', async ({ text, times }: ToWrite) => {
  for (let n = 0; n < times; n += 1) {
    const bytes = Buffer.from(text.replace('#', String(n)));
    for (const res of open) res.write(bytes);
    await turn();
  }
});
process.once('disconnect', () => process.exit());
