import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, say } from '../support/calls.ts';

/** One call of one client. Milliseconds by `performance.now()`. */
export interface Call {
  readonly gateway: number;
  readonly body: string;
  readonly isMailed: boolean;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly answer: Answer;
}

export interface Load {
  readonly calls: readonly Call[];
  /** Starts no new calls, repeats those without an answer, and resolves when all are answered. */
  stop(): Promise<void>;
}

const authorization = `Basic ${Buffer.from('operator:operator').toString('base64')}`;
/** How long a client waits before it repeats a call. */
const againMs = 50;

/**
 * Clients that each send one message after another, half of them to each gateway. A third of the messages is
 * mailed. A call without an answer is repeated with its key until it is answered.
 * @param spared the id of a ticket that gets no message
 */
export function startLoad(
  urls: readonly string[],
  { clients, name, spared }: { clients: number; name: string; spared?: number },
): Load {
  const calls: Call[] = [];
  const ticketOf = (n: number): number => {
    const ticket = 1 + (n % 50);
    return ticket === spared ? ticketOf(n + 1) : ticket;
  };
  let stopped = false;

  async function sayOnce(client: number, body: string, ticket: number, isMailed: boolean): Promise<Answer> {
    const gateway = client % urls.length;
    const beganAt = performance.now();
    const message = {
      ticket: `INC-${String(ticket).padStart(6, '0')}`,
      body,
      ...(isMailed ? { email: {} } : {}),
    };
    const answer = await say(urls[gateway]!, 'graphql', message, { authorization, key: body });
    calls.push({ gateway, body, isMailed, beganAt, endedAt: performance.now(), answer });
    return answer;
  }

  async function client(own: number): Promise<void> {
    for (let n = 0; !stopped; n += 1) {
      const body = `${name} client ${own} message ${n}`;
      for (;;) {
        const answer = await sayOnce(own, body, ticketOf(own * 7 + n), n % 3 === 0);
        if (answer.kind === 'added') break;
        if (answer.kind === 'refused') throw new Error(`${body} was refused: ${answer.code}`);
        await sleep(againMs);
      }
      await sleep(5);
    }
  }

  const all = Promise.all(Array.from({ length: clients }, (_, own) => client(own)));
  // `stop` reports it, whatever else fails meanwhile.
  all.catch(() => {});
  return {
    calls,
    async stop() {
      stopped = true;
      await all;
    },
  };
}
