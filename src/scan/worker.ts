import type postgres from 'postgres';
import { scansChannel } from '../db/notify-channels.ts';
import { createInterruptibleSleep } from '../platform/interruptible-sleep.ts';
import type { Logger } from '../platform/log.ts';
import type { Clamd } from '../settings/clamd-url.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { pingScanner, ScannerUnavailable, ScanRefused, scanStream } from './clamd.ts';
import {
  claimScans,
  nextScan,
  type PendingScan,
  putOffScan,
  recordScanFailure,
  settleScan,
} from './queue.ts';

/** What the worker needs. */
export interface ScanWorkerPorts {
  /** Plain postgres.js with the gateway's role. */
  readonly sql: postgres.Sql;
  readonly blobs: Pick<BlobStore, 'open'>;
  readonly clamd: Clamd;
  readonly log: Logger;
  /** Seconds after which another process may claim a file whose lease was not extended; 60 by default. */
  readonly leaseSeconds?: number;
  /** Milliseconds between polls without a notification; 5000 by default. */
  readonly pollMs?: number;
  /**
   * Milliseconds to wait after the first failure to reach clamd, doubled each time up to a minute; 1000 by
   * default.
   */
  readonly firstRestMs?: number;
}

/** Concurrent scans per process: clamd uses a thread for each. */
const atOnce = 2;
const longestRestMs = 60_000;
/** Seconds until a retry of a file that the scanner rejected or that could not be read. */
const refusedSeconds = 300;

/** Scans pending files in the background, two at a time. */
export interface ScanWorker extends AsyncDisposable {
  /** Begins to scan. Further calls do nothing. */
  start(): void;
}

/**
 * Creates a worker that has clamd scan pending files and records each result; `start` starts it. A file that
 * clamd refuses or that cannot be read is retried after 5 minutes; while clamd cannot be reached, files wait.
 * Faults are logged. Disposing of it aborts running scans and releases their files.
 */
export function createScanWorker(ports: ScanWorkerPorts): ScanWorker {
  const { sql, blobs, clamd, log, leaseSeconds = 60, pollMs = 5000, firstRestMs = 1000 } = ports;
  const pause = createInterruptibleSleep();
  const running = new Set<Promise<void>>();
  const ending = new AbortController();
  let failures = 0;
  let restsUntil = 0;
  let loop: Promise<void> | undefined;
  let listening: Promise<postgres.ListenMeta> | undefined;

  async function scan({ attachmentId, blobKey }: PendingScan): Promise<void> {
    let renewed: Promise<unknown> = Promise.resolve();
    const renew = () => {
      renewed = putOffScan(sql, attachmentId, leaseSeconds).catch(() => {});
    };
    const holding = setInterval(renew, (leaseSeconds * 1000) / 3);
    try {
      const result = await scanStream(
        clamd,
        await blobs.open(blobKey, undefined, ending.signal),
        ending.signal,
      );
      if (result.scan === 'INFECTED')
        log.warn({ attachmentId, found: result.found }, 'a file is infected; it is not served');
      if (failures > 0) log.info('the scanner at CLAMD_URL answers again');
      failures = 0;
      await settleScan(sql, attachmentId, result);
    } catch (error) {
      clearInterval(holding);
      // A renewal that is under way would put the file off once more, after this.
      await renewed;
      await putOff(attachmentId, error);
    } finally {
      clearInterval(holding);
    }
  }

  async function putOff(attachmentId: number, error: unknown): Promise<void> {
    if (ending.signal.aborted) return putOffScan(sql, attachmentId, 0);
    if (error instanceof ScannerUnavailable) {
      // Concurrent scans fail together, and count as one failure.
      if (restsUntil <= performance.now()) {
        failures += 1;
        restsUntil = performance.now() + Math.min(longestRestMs, firstRestMs * 2 ** (failures - 1));
        log.error(
          { err: error },
          'the scanner at CLAMD_URL is unreachable; files, and mails that carry them, are on hold',
        );
      }
      await recordScanFailure(sql, attachmentId, 'the scanner does not answer');
      return putOffScan(sql, attachmentId, Math.max(0, restsUntil - performance.now()) / 1000);
    }
    const refused = error instanceof ScanRefused;
    log.error(
      { err: error, attachmentId },
      'scanning a file failed; the file and its mail are on hold until a retry',
    );
    await recordScanFailure(sql, attachmentId, refused ? error.message : 'the file could not be read');
    return putOffScan(sql, attachmentId, refusedSeconds);
  }

  /** @returns milliseconds until the next poll */
  async function round(): Promise<number> {
    const rest = restsUntil - performance.now();
    if (rest > 0) return rest;
    // After a back-off one file is tried first; the others follow once it has succeeded.
    const free = (failures > 0 ? 1 : atOnce) - running.size;
    const claims = free > 0 ? await claimScans(sql, free, leaseSeconds) : [];
    for (const claim of claims) {
      const task = scan(claim)
        .catch((err) =>
          log.error({ err, ...claim }, 'storing a scan result failed; it is retried when the lease expires'),
        )
        .finally(() => {
          running.delete(task);
          pause.wake();
        });
      running.add(task);
    }
    if (running.size > 0) return pollMs;
    return Math.min(pollMs, (await nextScan(sql)) ?? pollMs);
  }

  async function run(): Promise<void> {
    await pingScanner(clamd, ending.signal).catch((err) => {
      if (!ending.signal.aborted) log.error({ err }, 'CLAMD_URL: the scanner is unreachable');
    });
    while (!ending.signal.aborted) {
      pause.reset();
      const wait = await round().catch((err) => {
        log.error({ err }, 'reading the scan queue failed, retrying');
        return pollMs;
      });
      if (!ending.signal.aborted) await pause.sleep(Math.max(10, wait));
    }
  }

  return {
    start() {
      if (loop !== undefined) return;
      listening = sql.listen(scansChannel, pause.wake, pause.wake);
      listening.catch((err) => log.error({ err }, 'LISTEN for new files failed; polling instead'));
      loop = run();
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      pause.wake();
      await loop;
      await Promise.allSettled(running);
      await listening?.then(({ unlisten }) => unlisten()).catch(() => {});
    },
  };
}
