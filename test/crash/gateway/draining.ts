import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, say } from '../support/calls.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';

export interface Sender {
  readonly credentials: readonly string[];
  readonly total: number;
  /** Where to send, by turns. */
  readonly urls: readonly string[];
}

export interface Sending {
  /** Calls under way at a process. */
  inFlightAt(url: string): number;
  /** Sends nothing more there; resolves with the answers to what was under way. */
  leave(url: string): Promise<Answer[]>;
  readonly answered: number;
  /** All answers, in the end. */
  readonly rest: Promise<Answer[]>;
}

/**
 * Forty clients that send `total` mailed messages, one after another each, to all processes and by both
 * doors.
 */
export function sendMany({ credentials, total, urls }: Sender, name: string): Sending {
  const underWay = new Map(urls.map((url) => [url, new Set<Promise<Answer>>()]));
  const open = new Set(urls);
  const answers: Answer[] = [];
  let next = 0;

  async function client(): Promise<void> {
    for (let n = next++; n < total; n = next++) {
      const url = [...open][n % open.size]!;
      const ticket = `INC-00000${1 + (n % 5)}`;
      const files = n % 7 === 0 ? [{ name: 'a.bin', type: 'image/png', bytes: Buffer.alloc(50_000, n) }] : [];
      const call = say(
        url,
        n % 2 === 0 ? 'graphql' : 'legacy',
        { ticket, body: `${name} ${n}.`, email: { bcc: ['bcc@domain.com'] }, files },
        { authorization: credentials[n % credentials.length]! },
      );
      underWay.get(url)!.add(call);
      answers.push(await call);
      underWay.get(url)!.delete(call);
    }
  }
  const rest = Promise.all(Array.from({ length: 40 }, client)).then(() => answers);
  return {
    inFlightAt: (url) => underWay.get(url)!.size,
    leave(url) {
      open.delete(url);
      return Promise.all(underWay.get(url)!);
    },
    get answered() {
      return answers.length;
    },
    rest,
  };
}

/**
 * Ends a process in the middle of its work, with an upload half sent, and checks that no caller was cut off.
 */
export async function drain(gateway: GatewayProcess, sending: Sending, authorization: string) {
  const upload = startSlowUpload(gateway.url, authorization);
  while (sending.answered < 100 || sending.inFlightAt(gateway.url) < 10) await sleep(1);
  const inFlight = sending.inFlightAt(gateway.url);
  const answers = sending.leave(gateway.url);
  const startedAt = performance.now();
  const ended = gateway.stop();
  const unanswered = (await answers).filter(({ kind }) => kind !== 'added').length;
  const uploaded = await upload.finish();
  const exitCode = await ended;
  return {
    inFlight,
    unanswered,
    upload: uploaded,
    exitCode,
    milliseconds: Math.round(performance.now() - startedAt),
  };
}

/** Half a request; `finish` sends the other half. */
function startSlowUpload(url: string, authorization: string) {
  const document =
    'mutation { addTicketMessage(input: { ticket: { ticketId: 1 }, body: "slow ' +
    `${'x'.repeat(500_000)}" }) { __typename } }`;
  const body = Buffer.from(JSON.stringify({ query: document }));
  const half = body.length >> 1;
  const req = request(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', 'content-length': body.length },
  });
  req.write(body.subarray(0, half));
  const response = once(req, 'response').then(
    async ([res]) => (await res.toArray()).join(''),
    (error: Error) => `cut: ${error.message}`,
  );
  return {
    async finish(): Promise<string> {
      await sleep(500);
      req.end(body.subarray(half));
      const text = await response;
      return text.includes('AddTicketMessagePayload') ? 'added' : text;
    },
  };
}
