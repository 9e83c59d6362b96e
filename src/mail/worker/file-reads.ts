import { setTimeout as sleep } from 'node:timers/promises';
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
   * Waits until the first bytes of a mail with files are read, unless those of the last such mail were.
   * Mails that wait for a silent file store must not hold a mailbox's connections, which others need.
   * @returns false when the mail may not begin any more
   * @throws FilesUnreadable
   */
  ready(bytes: ReturnType<typeof readAhead>, mayBegin: () => boolean): Promise<boolean>;
}

/** Starts without an assumption: the first mail's files are waited for. */
export function createFileReads(): FileReads {
  let works = false;
  return {
    noted(worked) {
      works = worked;
    },
    async ready(bytes, mayBegin) {
      if (works) return true;
      const first = bytes.arrived().then(
        () => true,
        (cause) => {
          works = false;
          throw new FilesUnreadable('the files of a mail cannot be read', { cause });
        },
      );
      while (!(await Promise.race([first, sleep(lookMs, false)]))) if (!mayBegin()) return false;
      return true;
    },
  };
}
