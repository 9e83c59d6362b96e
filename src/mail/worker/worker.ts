import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { outboxChannel } from '../../db/notify-channels.ts';
import { createInterruptibleSleep } from '../../platform/interruptible-sleep.ts';
import type { Logger } from '../../platform/log.ts';
import type { BlobStore } from '../../storage/blob-store.ts';
import { cancelAnsweredMails } from '../outbox/cancel-answered-mails.ts';
import {
  type Claim,
  type ClaimOptions,
  claim,
  claimInTurn,
  findNeededLocks,
  nextDue,
} from '../outbox/claim.ts';
import { createSendingGate } from '../outbox/holding/sending-gate.ts';
import { recoverExpired, releaseClaims, renewLeases, shortenWaits } from '../outbox/leases.ts';
import { lockCappedMailboxes, postponeCapped } from '../outbox/recipient-caps.ts';
import { createMailboxPools, type SharedSmtpSettings } from '../smtp/mailbox-pools.ts';
import { type DeliveryContents, loadWithRetries, type UnreadableMail } from './delivery-contents.ts';
import { createMailboxSlots } from './mailbox-slots.ts';
import { createAttempts, type OnAttempt } from './run-attempts.ts';
import type { WorkerStep } from './steps.ts';

const gatherMilliseconds = 10;
/** Shortest interval between postponements of mails at a cap. */
const postponeMilliseconds = 5000;
/** How long no mail begins after a fault of the database. */
const faultMilliseconds = 1000;
/** How long the last check for caps and conditions is cached. */
const checkMilliseconds = 500;

/** Default drain times. A healthy server takes an envelope in a second and a mail in a few. */
const usualDrain = { beginsMs: 5000, endsMs: 60_000 };
/** Extra time to write the outcomes. */
const ledgerMs = 5000;

/** What the worker needs. */
export interface WorkerPorts extends SharedSmtpSettings {
  /** Raw postgres.js of the gateway's role, with a few connections of its own. */
  readonly sql: postgres.Sql;
  readonly blobs: Pick<BlobStore, 'open'>;
  readonly log: Logger;
  /** The time by the database's clock. */
  readonly now: () => Date;
  /** Seconds after which an unrenewed lease expires; 60 by default. */
  readonly leaseSeconds?: number;
  /** Seconds between polls when no notification arrives; 5 by default. */
  readonly pollSeconds?: number;
  /** Returns a number in [0, 1), for the jitter of pauses and retries; `Math.random` by default. */
  readonly random?: () => number;
  /**
   * How long shutdown waits before it closes connections, in milliseconds: `beginsMs` (5000 by default) for
   * mails before their fence, which is the commit after which their bytes may be sent, and `endsMs` (60,000)
   * for the others, whose outcome may then be unknown.
   */
  readonly drain?: { readonly beginsMs?: number; readonly endsMs?: number };
  /** Called for each attempt once its outcome is committed. */
  readonly attempted?: OnAttempt;
  /** Called and awaited at each step of each delivery, for tests that kill the process there. */
  readonly trace?: (step: WorkerStep, deliveryId: number) => Promise<void> | void;
}

/** A loop that claims due mails of the outbox and sends them. */
export interface Worker extends AsyncDisposable {
  /** Begins to send. Further calls do nothing. */
  start(): void;
  /** Queries for due mails now, without waiting for a notification or the next poll. */
  wake(): void;
}

const logDamaged = (log: Logger) => (deliveryId: number, err: unknown) =>
  log.error({ err, deliveryId }, 'a mail cannot be recovered or cancelled; perhaps its ticket is damaged');

/**
 * Creates a worker; `start` starts it. Any number of workers may run, in one or many processes. Faults of the
 * database are logged and retried. Disposing of it drains: it begins nothing new, finishes mails in
 * transmission, and releases other claims. `drain` limits the wait for slow servers; 5 seconds after `endsMs`
 * it no longer waits for the database either.
 */
export function createWorker(ports: WorkerPorts): Worker {
  const { sql, log, now, leaseSeconds = 60, pollSeconds = 5 } = ports;
  const drain = { ...usualDrain, ...ports.drain };
  const name = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const pools = createMailboxPools(ports);
  const slots = createMailboxSlots({
    connections: ports.connections ?? 5,
    random: ports.random ?? Math.random,
  });
  const alive = new Map<string, Claim>();
  const running = new Set<Promise<void>>();
  const attempts = createAttempts({
    ...ports,
    pools,
    reportServer: slots.reportServer,
    fenceFailed: () => (beginsAt = performance.now() + faultMilliseconds),
    random: ports.random ?? Math.random,
  });
  let stopping = false;
  /** No mail begins before this, by `performance.now`. */
  let beginsAt = Number.NEGATIVE_INFINITY;
  const pause = createInterruptibleSleep();
  const gate = createSendingGate(sql, log, (leaseSeconds * 1000) / 4);
  let loop: Promise<void> | undefined;
  let recoveredAt = Number.NEGATIVE_INFINITY;
  let postponeAt = Number.NEGATIVE_INFINITY;
  let locks = { mailboxes: false, tickets: false, at: Number.NEGATIVE_INFINITY };

  function begin(one: Claim, mail: DeliveryContents | UnreadableMail): void {
    gate.attemptStarted(one);
    slots.enter(one.mailboxId);
    const task = attempts
      .run(one, mail, () => !stopping && performance.now() >= beginsAt && slots.mayBegin(one.mailboxId))
      .then(async (isSettled) => {
        if (!isSettled) await releaseUntilReleased(one);
      })
      .catch((err) => log.error({ err, deliveryId: one.id }, 'attempt abandoned; its lease will expire'))
      .finally(() => {
        alive.delete(one.token);
        slots.leave(one.mailboxId);
        running.delete(task);
        // Claims again once half of the slots are free, not for each one.
        if (slots.isClaimWorthwhile()) pause.wake();
      });
    running.add(task);
  }

  /** Releases a claim whose mail did not begin. A worker that stops leaves it to its lease. */
  async function releaseUntilReleased(one: Claim): Promise<void> {
    for (;;) {
      try {
        return await releaseClaims(sql, [one]);
      } catch (err) {
        if (stopping) throw err;
        log.error({ err, deliveryId: one.id }, 'releasing a mail failed, retrying');
      }
      await sleep(faultMilliseconds);
    }
  }

  /**
   * One round: recover, postpone, claim and begin.
   * @returns milliseconds until the next round; 0 when more may be due
   */
  async function round(): Promise<number> {
    const rest = beginsAt - performance.now();
    if (rest > 0) return rest;
    if (!(await gate.isOpen())) return pollSeconds * 1000;
    if (performance.now() - recoveredAt >= (leaseSeconds * 1000) / 4) {
      recoveredAt = performance.now();
      await shortenWaits(sql, now(), leaseSeconds);
      for (const { id, state } of await recoverExpired(sql, now(), logDamaged(log)))
        log.warn({ deliveryId: id, state }, 'a mail was recovered: its worker did not renew the lease');
    }
    if (performance.now() - locks.at >= checkMilliseconds)
      locks = { ...(await findNeededLocks(sql, now())), at: performance.now() };
    if (locks.mailboxes && performance.now() >= postponeAt) {
      const began = performance.now();
      await postponeCapped(sql, now());
      // It scans all due mails, because claims would otherwise skip those at a cap one by one.
      postponeAt = performance.now() + Math.max(postponeMilliseconds, 10 * (performance.now() - began));
    }
    const options = {
      worker: name,
      now: now(),
      leaseSeconds,
      slots: slots.list(),
      free: slots.slotsPerMailbox,
    };
    let claimed = 0;
    const searches = locks.mailboxes || locks.tickets ? [claimWithLocks(options)] : claimInTurn(sql, options);
    for await (const claims of searches) {
      claimed += claims.length;
      await beginAll(claims);
    }
    if (claimed > 0) return 0;
    return Math.max(
      100,
      Math.min(pollSeconds * 1000, slots.pause(), (await nextDue(sql, now())) ?? Infinity),
    );
  }

  async function beginAll(claims: readonly Claim[]): Promise<void> {
    if (claims.length === 0) return;
    // From here on their leases are renewed.
    for (const one of claims) alive.set(one.token, one);
    const mails = await loadWithRetries(sql, claims, { log, isOver: () => stopping });
    if (mails === undefined) {
      for (const { token } of claims) alive.delete(token);
      await releaseClaims(sql, claims);
      return;
    }
    for (const one of claims) {
      const found = mails.get(one.id);
      if (found !== undefined) begin(one, found);
      // Its lease expires, and then it is claimed again.
      else alive.delete(one.token);
    }
  }

  /** A claim with the locks and checks that caps and conditions need. Mailboxes are locked last. */
  function claimWithLocks(options: ClaimOptions): Promise<Claim[]> {
    return sql.begin(async (transaction) => {
      const tx = transaction as unknown as postgres.Sql;
      const checkedMails = locks.tickets
        ? await cancelAnsweredMails(transaction, options.now, logDamaged(log))
        : [];
      const lockedMailboxes = locks.mailboxes ? await lockCappedMailboxes(tx) : [];
      return claim(tx, { ...options, lockedMailboxes, checkedMails });
    }) as Promise<Claim[]>;
  }

  async function run(): Promise<void> {
    while (!stopping) {
      pause.reset();
      let wait = faultMilliseconds;
      try {
        wait = await round();
      } catch (err) {
        log.error({ err }, 'reading the outbox failed, retrying');
      }
      if (wait > 0) await pause.sleep(wait);
      else if (!slots.isClaimWorthwhile()) {
        await pause.sleep(pollSeconds * 1000);
        // Gathers mails that are queued one by one into one claim.
        await sleep(gatherMilliseconds);
      }
    }
  }

  const heartbeat = setInterval(
    () => {
      if (alive.size === 0) return;
      renewLeases(sql, [...alive.values()], leaseSeconds).catch((err) =>
        log.error({ err }, 'renewing leases failed'),
      );
    },
    (leaseSeconds * 1000) / 3,
  );
  heartbeat.unref();
  let listening: Promise<postgres.ListenMeta> | undefined;

  return {
    start() {
      if (loop !== undefined) return;
      const heard = (about = '') => {
        if (about === 'home') gate.recheck();
        pause.wake();
      };
      listening = sql.listen(outboxChannel, heard, pause.wake);
      listening.catch((err) => log.error({ err }, 'LISTEN for queued mails failed; polling instead'));
      loop = run();
    },
    wake: pause.wake,
    async [Symbol.asyncDispose]() {
      stopping = true;
      pause.wake();
      pools.cancelWaiting();
      const cuts = [
        setTimeout(() => pools.cut(false), drain.beginsMs),
        setTimeout(() => pools.cut(true), drain.endsMs),
      ];
      await loop;
      const ended = Promise.allSettled(running).then(() => true);
      const late = new AbortController();
      const inTime = sleep(drain.endsMs + ledgerMs, false, { signal: late.signal }).catch(() => true);
      // An unavailable database is not waited for forever. Leases recover such mails.
      if (!(await Promise.race([ended, inTime])))
        log.error({ mails: alive.size }, 'mails abandoned at shutdown');
      late.abort();
      for (const cut of cuts) clearTimeout(cut);
      clearInterval(heartbeat);
      await listening?.then(({ unlisten }) => unlisten()).catch(() => {});
      pools[Symbol.dispose]();
    },
  };
}
