// Clock: a server that is as slow as a test says.
import { setTimeout as sleep } from 'node:timers/promises';
import type { SMTPServerSession } from 'smtp-server';

/**
 * Where a server can go wrong. BODY: in the middle of the message. DOT: after its final dot, before the
 * server has taken it. REPLY: the server has taken it, its 250 is still to be said.
 */
export type Step = 'CONNECT' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'BODY' | 'DOT' | 'REPLY';

/**
 * `hang`: says nothing more. `drop`: cuts the connection. `reply`: a line such as `451 4.3.0 Try later`; 421
 * closes as well. `delayMs`: goes on after a while; `until`: when that has settled. BODY knows hang, drop and
 * these two only.
 */
export type Fault = {
  readonly at: Step;
  /** Only for this address, in MAIL and RCPT. */
  readonly address?: string;
  /** How often; always unless said. */
  readonly times?: number;
  /** BODY: after how many bytes of the message; 1 unless said. */
  readonly afterBytes?: number;
} & (
  | { readonly answer: 'hang' | 'drop' }
  | { readonly reply: string }
  | { readonly delayMs: number }
  | { readonly until: Promise<unknown> }
);

/**
 * What smtp-server's connection has at run time: its handlers of EHLO and DATA can be put off, which its
 * hooks cannot do.
 */
export interface Connection {
  session: SMTPServerSession;
  _socket: { destroy(): void };
  send(code: number, text: string): void;
  handler_EHLO(command: unknown, callback: () => void): void;
  handler_DATA(command: unknown, callback: () => void): void;
}

/** What smtp-server answers with when a hook fails. */
export class Reply extends Error {
  readonly responseCode: number;
  constructor(line: string) {
    super(line.slice(4));
    this.responseCode = Number(line.slice(0, 3));
  }
}

/** The faults that are in force, and every step that a client reached. */
export class FaultPlan {
  readonly steps: { readonly step: Step; readonly address?: string; readonly at: Date }[] = [];
  #faults: { readonly fault: Fault; left: number }[] = [];

  set(faults: readonly Fault[]): void {
    this.#faults = faults.map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }));
  }

  /** Notes that a client reached a step; the fault that it meets there is used up by one. */
  meet(step: Step, address?: string): Fault | undefined {
    this.steps.push({ step, at: new Date(), ...(address === undefined ? {} : { address }) });
    const met = this.#faults.find(
      ({ fault, left }) =>
        left > 0 && fault.at === step && (fault.address === undefined || fault.address === address),
    );
    if (met) met.left--;
    return met?.fault;
  }
}

/** Resolves when the client may go on; never, when it is to wait or was cut off. @throws Reply */
export async function suffer(fault: Fault | undefined, connection: Connection): Promise<void> {
  if (fault === undefined) return;
  if ('reply' in fault) throw new Reply(fault.reply);
  if ('delayMs' in fault) {
    await sleep(fault.delayMs, undefined, { ref: false });
    return;
  }
  if ('until' in fault) {
    await fault.until;
    return;
  }
  if (fault.answer === 'drop') connection._socket.destroy();
  await new Promise<never>(() => {});
}

/** Makes EHLO and DATA fail before smtp-server handles them, as it has no hooks there. */
export function hinderCommands(connection: Connection, plan: FaultPlan): void {
  const { handler_EHLO, handler_DATA } = connection;
  const hindered = (step: Step, handle: Connection['handler_EHLO']): Connection['handler_EHLO'] =>
    function (this: Connection, command, callback) {
      suffer(plan.meet(step), this).then(
        () => handle.call(this, command, callback),
        (reply: Reply) => {
          this.send(reply.responseCode, reply.message);
          callback();
        },
      );
    };
  connection.handler_EHLO = hindered('EHLO', handler_EHLO);
  connection.handler_DATA = hindered('DATA', handler_DATA);
}
