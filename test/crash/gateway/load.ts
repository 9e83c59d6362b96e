import { type Door, type Message, say } from '../support/calls.ts';
import { between } from '../support/random.ts';
import type { ClientLog, Entry } from './client-log.ts';

export interface Load {
  /** Calls that were answered with a message's id. */
  readonly acknowledged: number;
  /** Calls that were sent and not answered yet. */
  readonly inFlight: number;
  /** Begins no more calls, and resolves once the last of those under way has ended. */
  stop(): Promise<void>;
}

/** Clients that each send one message after another, at both doors, as fast as they are answered. */
export function startLoad(
  url: string,
  { round, clients, random, log }: { round: number; clients: number; random: () => number; log: ClientLog },
): Load {
  const authorization = `Basic ${Buffer.from('operator:operator').toString('base64')}`;
  let acknowledged = 0;
  let inFlight = 0;
  let calls = 0;
  let stopped = false;

  async function client(): Promise<void> {
    while (!stopped) {
      const door: Door = random() < 0.5 ? 'graphql' : 'legacy';
      calls += 1;
      const entry: Entry = { round, door, message: nextMessage(round, calls, random), answer: undefined };
      log.said(entry);
      inFlight += 1;
      const answer = await say(url, door, entry.message, { authorization });
      inFlight -= 1;
      log.answered(entry, answer);
      if (answer.kind === 'added') acknowledged += 1;
      else if (answer.kind !== 'lost') await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    get acknowledged() {
      return acknowledged;
    },
    get inFlight() {
      return inFlight;
    },
    async stop() {
      stopped = true;
      await all;
    },
  };
}

/** Some tickets are busy and most are not. Two in three messages are mailed, one in four has files. */
function nextMessage(round: number, call: number, random: () => number): Message {
  const ticket = random() < 0.5 ? between(random, 1, 3) : between(random, 4, 50);
  const kind = random();
  const copies = (kind: string, most: number) =>
    Array.from({ length: between(random, 0, most) }, (_, n) => `${kind}${n}@example.org`);
  return {
    ticket: `INC-${String(ticket).padStart(6, '0')}`,
    body: `round ${round} call ${call} ${'x'.repeat(between(random, 0, 2000))}.`,
    ...(kind < 0.1 ? { private: true } : {}),
    ...(kind > 0.35 ? { email: { cc: copies('cc', 2), bcc: copies('bcc', 2) } } : {}),
    ...(random() < 0.25 ? { files: filesFor(call, random) } : {}),
  };
}

function filesFor(call: number, random: () => number): NonNullable<Message['files']> {
  return Array.from({ length: between(random, 1, 3) }, (_, n) => ({
    name: `file-${call}-${n}.bin`,
    type: 'application/octet-stream',
    bytes: Buffer.alloc(between(random, 1, 200_000), `${call}/${n} `),
  }));
}
