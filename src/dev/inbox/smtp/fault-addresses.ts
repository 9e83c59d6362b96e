import { setTimeout as sleep } from 'node:timers/promises';

/** The domain whose addresses simulate faults. Mail to any other address is accepted. */
export const faultDomain = 'sandbox.test';

/** An SMTP reply that reports a failure. The message is the reply's text without its code. */
export class SmtpReply extends Error {
  /** The first three digits: `451`. */
  readonly responseCode: number;

  /** @param line as on the wire, such as `451 4.2.1 Try again later`; 421 also closes the connection */
  constructor(line: string) {
    super(line.slice(4));
    this.responseCode = Number(line.slice(0, 3));
  }
}

/** Faults after the recipients were accepted. FaultAddresses says what each does. */
export type DataFault = 'drop-in-data' | 'drop-after-data' | 'reject-data' | 'defer-data' | 'hang';
const dataFaults: readonly string[] = [
  'drop-in-data',
  'drop-after-data',
  'reject-data',
  'defer-data',
  'hang',
] satisfies DataFault[];

const refusals: ReadonlyMap<string, string> = new Map(
  Object.entries({
    bounce: '550 5.1.1 No such user here (fault address)',
    disabled: '550 5.2.1 Mailbox disabled (fault address)',
    full: '552 5.2.2 Mailbox full (fault address)',
    busy: '421 4.3.2 Too busy, closing the connection (fault address)',
  }),
);
const greylistSeconds = 5;
const slowSeconds = 5;
const longestSeconds = 600;

/**
 * The local parts at `faultDomain` that simulate faults, in any case, with the counters that they need. The
 * counters are kept in memory. `+anything` may follow a local part, for a counter of its own.
 *
 *   bounce, disabled, full   rejected at RCPT with 550 or 552
 *   busy                     421 at RCPT, then the connection is closed
 *   defer, defer-N           rejected once, or N times, with 451, then accepted once, and so on
 *   greylist                 451 at first, accepted after 5 seconds
 *   slow, slow-N             RCPT is answered after 5, or N, seconds; 600 at most
 *   reject-data, defer-data  554, or 451, after the final dot
 *   hang                     no reply after the final dot
 *   drop-in-data             connection closed after 354, before the body
 *   drop-after-data          stored, then the connection is closed instead of 250
 */
export class FaultAddresses {
  readonly #deferred = new Map<string, number>();
  readonly #greylisted = new Map<string, number>();

  /**
   * Applies the faults at RCPT. Resolves when the recipient is accepted, which any other address is at once.
   * @param now milliseconds since 1970
   * @throws SmtpReply when it is rejected or deferred
   */
  async checkRecipient(recipient: string, sender: string, now: () => number = Date.now): Promise<void> {
    const name = localPart(recipient);
    if (name === undefined) return;
    const [kind = '', count] = /^(slow|defer)-(\d{1,4})$/.exec(name)?.slice(1) ?? [name];
    const refusal = refusals.get(kind);
    if (refusal !== undefined) throw new SmtpReply(refusal);
    if (kind === 'slow') {
      await sleep(Math.min(Number(count ?? slowSeconds), longestSeconds) * 1000, undefined, { ref: false });
    }
    if (kind === 'defer') this.#defer(recipient.toLowerCase(), Number(count ?? 1));
    if (kind === 'greylist') this.#greylist(`${sender} ${recipient}`.toLowerCase(), now());
  }

  /** The first fault after DATA among these recipients; undefined if there is none. The caller applies it. */
  atData(recipients: readonly string[]): DataFault | undefined {
    return recipients.map(localPart).find((name) => name !== undefined && dataFaults.includes(name)) as
      | DataFault
      | undefined;
  }

  #defer(recipient: string, times: number): void {
    const before = this.#deferred.get(recipient) ?? 0;
    if (before >= times) {
      this.#deferred.delete(recipient);
      return;
    }
    this.#deferred.set(recipient, before + 1);
    throw new SmtpReply(`451 4.2.1 Try again later: ${before + 1} of ${times} (fault address)`);
  }

  #greylist(pair: string, now: number): void {
    const since = this.#greylisted.get(pair) ?? now;
    this.#greylisted.set(pair, since);
    if (now - since < greylistSeconds * 1000) {
      throw new SmtpReply(`451 4.7.1 Greylisted, try again in ${greylistSeconds} seconds (fault address)`);
    }
  }
}

/** The local part at the fault domain, in lower case and without a `+tag`; otherwise undefined. */
function localPart(address: string): string | undefined {
  const [, local, domain] = /^(.*)@([^@]*)$/.exec(address.toLowerCase()) ?? [];
  return domain === faultDomain ? local?.replace(/\+.*$/, '') : undefined;
}
