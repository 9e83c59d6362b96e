import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../storage/blob-store.ts';
import type { readAhead } from '../compose/mail-source.ts';

/** Milliseconds between looks whether a mail that waits for its files may still begin. */
const lookMs = 100;

/** A mail's files could not be read, and no server was contacted. */
export class FilesUnreadable extends Error {}

/** What is known of the file store from the mails with files that were sent. */
export interface FileReads {
  /** Called when the files of a mail were read, or could not be. */
  noted(worked: boolean): void;
  /**
   * Waits until the first bytes of a mail's files, or of another mail's, are read, unless those of the last
   * one were. Mails that wait for a silent file store must not hold a mailbox's connections, which others
   * need.
   * @returns false when the mail may not begin any more
   * @throws FilesUnreadable when its files cannot be read, or the store failed for the mail that was tried
   */
  ready(bytes: ReturnType<typeof readAhead>, mayBegin: () => boolean): Promise<boolean>;
}

/** Starts without an assumption: the first mail's files are waited for. One mail is tried at a time. */
export function createFileReads(): FileReads {
  let works = false;
  /** The mail that is tried; resolves with the fault. */
  let trial: Promise<Error | undefined> | undefined;

  const tryFiles = (bytes: ReturnType<typeof readAhead>): Promise<Error | undefined> =>
    bytes
      .arrived()
      .then(
        () => {
          works = true;
          return undefined;
        },
        (fault: Error) => fault,
      )
      .finally(() => {
        trial = undefined;
      });

  return {
    noted(worked) {
      works = worked;
    },
    async ready(bytes, mayBegin) {
      while (!works) {
        const isMine = trial === undefined;
        trial ??= tryFiles(bytes);
        const outcome = await whileAllowed(trial, mayBegin);
        if (outcome === 'FORBIDDEN') return false;
        if (outcome !== undefined && (isMine || outcome instanceof StoreUnavailable))
          throw new FilesUnreadable('the files of a mail cannot be read', { cause: outcome });
      }
      return true;
    },
  };
}

async function whileAllowed<T>(work: Promise<T>, mayBegin: () => boolean): Promise<T | 'FORBIDDEN'> {
  for (;;) {
    const result = await Promise.race([work, sleep(lookMs, 'PENDING' as const)]);
    if (result !== 'PENDING') return result;
    if (!mayBegin()) return 'FORBIDDEN';
  }
}
