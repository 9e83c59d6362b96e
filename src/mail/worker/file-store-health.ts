import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../storage/blob-store.ts';
import type { readAhead } from '../compose/stored-mail.ts';

/** Milliseconds between looks whether a mail that waits for its files may still begin. */
const lookMs = 100;

/** A mail's files could not be read, and no server was contacted. The cause is the store's error. */
export class FilesUnreadable extends Error {}

/** Whether the file store can be read, as the latest mail with files has shown. */
export interface FileStoreHealth {
  /** Must be called when the files of a mail were read to their end (true), or could not be read (false). */
  noted(worked: boolean): void;
  /**
   * Resolves to true immediately if the latest read succeeded. If it failed, or nothing was read yet, one
   * mail is tried at a time: all mails wait until the first bytes of that mail's files have been read. Called
   * before a connection is taken, so that mails that wait for a silent store do not hold the connections that
   * other mails need.
   * @param mayBegin called every 100 ms while it waits
   * @returns false once `mayBegin` has returned false
   * @throws FilesUnreadable when the files of this mail cannot be read, or the store was unavailable for the
   *   mail that was tried
   */
  ready(bytes: ReturnType<typeof readAhead>, mayBegin: () => boolean): Promise<boolean>;
}

/** Creates the state of one worker. Nothing is known at first, so the first mail's files are waited for. */
export function createFileStoreHealth(): FileStoreHealth {
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
