import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Wire } from './postgres-socket.ts';

/**
 * The process of the server behind one connection: a row of `pg_stat_activity`. Milliseconds are by the
 * server's clock.
 */
export interface Backend {
  readonly pid: number;
  /** Whether it waits for a statement: it has answered every one, or never received one. */
  readonly isIdle: boolean;
  /** How long it has been in its state. */
  readonly stateMs: number;
  /** How long ago the connection was opened. */
  readonly ageMs: number;
}

/** What a new connection says about the server that it leads to. */
export interface ServerState {
  /** Whether it is a standby, on which nothing can be written. */
  readonly isStandby: boolean;
  /** Those backends that were asked for and exist. */
  readonly backends: readonly Backend[];
}

/** How connections are watched. */
export interface SilenceOptions {
  /** The open connections, which are read anew at each check. */
  readonly wires: Iterable<Wire>;
  /**
   * Queries the server over a new connection for these backends. It resolves to undefined when there is no
   * answer. It must not reject, and must give up by itself, because no other query begins before it has
   * ended.
   */
  readonly ask: (pids: readonly number[]) => Promise<ServerState | undefined>;
  /** Milliseconds of silence after which a connection is closed, whatever the server answers. */
  readonly endAfterMs: number;
  /** Milliseconds of silence after which the server is queried; 1000 if absent. */
  readonly suspectAfterMs?: number;
  /** Milliseconds between two checks; 250 if absent. */
  readonly everyMs?: number;
}

/**
 * A backend whose age differs by more than this is a different one with the same process id. It allows for
 * two clocks and for the time that a connection takes to open.
 */
const ageToleranceMs = 3000;
/** An answer in transit has arrived after this many milliseconds. */
const onItsWayMs = 400;

/** Watches connections until it is disposed of. */
export interface ConnectionWatch extends Disposable {
  /** Says that connections may lead to a server on which nothing can be written. */
  doubt(): void;
}

/**
 * Watches connections, and closes those to a server that disappeared without closing them; their statements
 * fail with the code CONNECTION_SILENT. Silence is the time in which an answer is
 * outstanding and nothing arrives. A server disappears when the network drops packets, it is frozen, or
 * another one took over its address. A statement may wait seconds for a lock, so silence alone proves
 * nothing, and the server is queried over a new connection. If the backend does not exist there, or is idle,
 * no answer will come, and the connection is closed. Connections without a statement from which nothing
 * arrived since then are closed as well, before a statement fails on them.
 *
 * A server may stay where it is when another one takes its place, as a standby to which the name of the
 * database led for a while does. When a write was refused because nothing can be written, or `doubt` was
 * called, the server is queried too. If new connections lead to a primary, those to any other server are
 * closed, and their statements fail with the code CONNECTION_MOVED.
 */
export function closeSilentConnections(options: SilenceOptions): ConnectionWatch {
  const { wires, ask, endAfterMs, suspectAfterMs = 1000, everyMs = 250 } = options;
  let lookedAt = performance.now();
  let askAgainAt = 0;
  let asking = false;
  let doubtedAt = Number.NEGATIVE_INFINITY;
  /** Doubts from before are settled. */
  let settledAt = Number.NEGATIVE_INFINITY;
  const isDoubted = () => Math.max(doubtedAt, ...Array.from(wires, (wire) => wire.refusedAt)) > settledAt;

  async function look(): Promise<void> {
    const now = performance.now();
    // This process was busy or suspended. Read what arrived meanwhile first.
    const wasAway = now - lookedAt > 4 * everyMs;
    lookedAt = now;
    if (wasAway) return;
    for (const wire of wires) if (silenceOf(wire, now) > endAfterMs) wire.fail(silentError());
    if (asking || now < askAgainAt) return;
    const silences = [...wires].map((wire) => (wire.pid === undefined ? 0 : silenceOf(wire, now)));
    if (Math.max(0, ...silences) < suspectAfterMs && !isDoubted()) return;
    asking = true;
    try {
      await question(now);
    } finally {
      asking = false;
    }
  }

  async function question(now: number): Promise<void> {
    // One query covers the connections whose silence has just begun as well.
    const suspects = [...wires].filter((wire) => wire.pid !== undefined && silenceOf(wire, now) > onItsWayMs);
    const since = new Map(suspects.map((wire) => [wire, wire.silentSince]));
    const all = [...wires].filter(({ pid }) => pid !== undefined);
    const wasDoubted = isDoubted();
    const server = await ask(all.map(({ pid }) => pid!));
    if (server === undefined) return;
    // Let the other connections read what arrived together with this answer.
    await nextTurn();
    askAgainAt = performance.now() + suspectAfterMs;
    const known = new Map(server.backends.map((backend) => [backend.pid, backend]));
    if (wasDoubted) {
      settledAt = now;
      if (!server.isStandby) for (const wire of all) if (isElsewhere(wire, known)) wire.fail(movedError());
    }
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
  return {
    doubt() {
      doubtedAt = performance.now();
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

const silenceOf = ({ silentSince }: Wire, now: number): number =>
  silentSince === undefined ? 0 : now - silentSince;

function isGone(wire: Wire, known: ReadonlyMap<number, Backend>): boolean {
  if (isElsewhere(wire, known)) return true;
  const { isIdle, stateMs } = known.get(wire.pid!)!;
  return isIdle && stateMs > onItsWayMs;
}

/** Whether the server does not have the wire's backend. */
function isElsewhere(wire: Wire, known: ReadonlyMap<number, Backend>): boolean {
  const backend = known.get(wire.pid!);
  if (backend === undefined) return true;
  const isAnother = Math.abs(performance.now() - wire.openedAt - backend.ageMs) > ageToleranceMs;
  // A pooler's sessions are older than the connections that get them.
  return isAnother && !wire.isPooled;
}

const movedError = (): Error =>
  Object.assign(new Error('The database has moved to another server'), { code: 'CONNECTION_MOVED' });

const silentError = (): Error =>
  Object.assign(new Error('The database stopped responding'), { code: 'CONNECTION_SILENT' });
