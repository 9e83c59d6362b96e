import { fork } from 'node:child_process';
import { once } from 'node:events';
import { postRequest } from '../support/http-client.ts';
import type { Contender } from './contender.ts';

/** Starts the bare `res.write` loop. @param text of one event, with `#` where its number is */
export async function startBareLoop(parts: AsyncDisposableStack, text: string): Promise<Contender> {
  const server = fork(new URL('bare.ts', import.meta.url));
  parts.defer(() => void server.kill());
  const [{ port }] = (await once(server, 'message')) as [{ port: number }];
  return {
    name: 'bare',
    pid: server.pid!,
    port,
    requests: async () => [postRequest('/', {}, '{}')],
    deliver: async (size) => void server.send({ text, times: size.events }),
  };
}
