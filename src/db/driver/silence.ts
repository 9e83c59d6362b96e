import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Wire } from './wire.ts';

/**
 * What the server says of one backend, by a connection that was opened to ask. Milliseconds by the server's
 * clock.
 */
export interface Backend {
  readonly pid: number;
  /** `idle`: it has answered all that it was asked, or was never asked. */
  readonly isIdle: boolean;
  readonly stateMs: number;
  readonly ageMs: number;
}

export interface SilenceOptions {
  readonly wires: Iterable<Wire>;
  /** Asks the server by a new connection; undefined: it cannot be asked, or does not answer either. */
  readonly ask: (pids: readonly number[]) => Promise<readonly Backend[] | undefined>;
  /** Milliseconds after which a connection that says nothing is ended, whatever the server says. */
  readonly endAfterMs: number;
  /** Milliseconds of silence after which it is asked whether anybody is still there. */
  readonly suspectAfterMs?: number;
  readonly everyMs?: number;
}

/**
 * Two clocks, and the time that a connection takes to begin: by more than this a backend of the same number
 * is another one.
 */
const ageToleranceMs = 3000;
/** An answer that is on its way has arrived by then. */
const onItsWayMs = 400;

/**
 * Ends connections whose server is gone without having said so: a network that drops their packets, a server
 * that is frozen, or one whose address another one has taken. A statement may wait for a lock for seconds, so
 * silence alone says little: a new connection asks the server. Where it knows nothing of the backend, or
 * believes that it has answered, nothing more will come; and connections that were not heard since are as old
 * and go as well, before somebody has to find out.
 */
export function watchSilence(options: SilenceOptions): Disposable {
  const { wires, ask, endAfterMs, suspectAfterMs = 1000, everyMs = 250 } = options;
  let lookedAt = performance.now();
  let askAgainAt = 0;
  let asking = false;

  async function look(): Promise<void> {
    const now = performance.now();
    // This process was busy or stopped itself: what has arrived meanwhile is read first.
    const wasAway = now - lookedAt > 4 * everyMs;
    lookedAt = now;
    if (wasAway) return;
    for (const wire of wires) if (silenceOf(wire, now) > endAfterMs) wire.fail(silentError());
    if (asking || now < askAgainAt) return;
    const silences = [...wires].map((wire) => (wire.pid === undefined ? 0 : silenceOf(wire, now)));
    if (Math.max(0, ...silences) < suspectAfterMs) return;
    asking = true;
    try {
      await question(now);
    } finally {
      asking = false;
    }
  }

  async function question(now: number): Promise<void> {
    // What the server says is as good for those who have only begun to wait.
    const suspects = [...wires].filter((wire) => wire.pid !== undefined && silenceOf(wire, now) > onItsWayMs);
    const since = new Map(suspects.map((wire) => [wire, wire.silentSince]));
    const backends = await ask([...wires].flatMap(({ pid }) => (pid === undefined ? [] : [pid])));
    if (backends === undefined) return;
    // What has arrived for others together with this answer is read first.
    await nextTurn();
    askAgainAt = performance.now() + suspectAfterMs;
    const known = new Map(backends.map((backend) => [backend.pid, backend]));
    const gone = suspects.filter(
      (wire) => wire.silentSince !== undefined && wire.silentSince === since.get(wire) && isGone(wire, known),
    );
    if (gone.length === 0) return;
    const silentSince = Math.min(...gone.map((wire) => since.get(wire)!));
    for (const wire of [...wires]) {
      const isUnheard = wire.silentSince === undefined && wire.heardAt < silentSince;
      if (gone.includes(wire) || isUnheard) wire.fail(silentError());
    }
  }

  const timer = setInterval(() => void look(), everyMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

const silenceOf = ({ silentSince }: Wire, now: number): number =>
  silentSince === undefined ? 0 : now - silentSince;

function isGone(wire: Wire, known: ReadonlyMap<number, Backend>): boolean {
  const backend = known.get(wire.pid!);
  if (backend === undefined) return true;
  const isAnother = Math.abs(performance.now() - wire.openedAt - backend.ageMs) > ageToleranceMs;
  return isAnother || (backend.isIdle && backend.stateMs > onItsWayMs);
}

const silentError = (): Error =>
  Object.assign(new Error('The database was not heard any more'), { code: 'CONNECTION_SILENT' });
