import { sql } from 'drizzle-orm';
import type { Config } from '../../config.ts';
import type { Db } from '../../db/database.ts';
import { type BlobStore, StoreUnavailable } from '../../storage/blob-store.ts';
import { collectGarbage } from '../../storage/garbage/collect.ts';
import { spareMs } from '../../storage/garbage/stray-keys.ts';
import { type Damage, type VerifyProgress, verifyBlobs } from '../../storage/garbage/verify-blobs.ts';
import { openStore } from '../../storage/open-store.ts';
import { adoptStore } from '../../storage/store-owner.ts';
import { type Command, CommandError } from '../command.ts';
import { count, done, fields, sizeOf } from '../output.ts';

/** Most damaged files that are listed. */
const maxShown = 1000;
const progressEveryMs = 1000;

const verify: Command = {
  name: 'blobs verify',
  arguments: [],
  summary: 'Read every referenced file and compare it with its row',
  details: [
    'Exits with 1 if a file is missing or damaged, or if garbage collection is off. Changes nothing.',
    'Files that nothing names are left over, for example by a crash: garbage collection sets them aside,',
    'and deletes them a week later. Files of the last hour do not count: their requests may still run.',
  ].join('\n'),
  options: {},
  example: 'blobs verify',
  async run({ db, config, stderr }) {
    const olderThan = new Date((await earlierTime(db)) - spareMs);
    const result = await reached(config, (store) => verifyBlobs(db, store, olderThan, reporter(stderr)));
    const { damaged, ...counts } = result;
    for (const { key, what } of damaged.slice(0, maxShown)) stderr.write(`${key}  ${words[what]}\n`);
    if (damaged.length > maxShown) stderr.write(`and ${damaged.length - maxShown} more\n`);
    const { rows, bytes, strays, aside, collectionOff } = counts;
    const { text } = fields({
      ...{ filesOfMessages: rows, bytes, damaged: damaged.length },
      ...{ filesThatNothingNames: strays, setAside: aside },
      garbageCollection: collectionOff === null ? 'on' : `off: ${collectionOff}`,
    });
    return { json: result, text, exitCode: damaged.length > 0 || counts.collectionOff !== null ? 1 : 0 };
  },
};

const words = {
  MISSING: 'is not there',
  WRONG_SIZE: 'has another size than its row',
  WRONG_DIGEST: 'is not what was stored',
  UNREADABLE: 'cannot be read',
} as const satisfies Record<Damage['what'], string>;

const adopt: Command = {
  name: 'blobs adopt',
  arguments: [],
  summary: 'Make this database the owner of the blob store, which turns garbage collection on',
  details: [
    'Use it after moving the store or restoring the database. Run `blobs verify` first.',
    'From then on, files that no row of this database references are set aside and deleted a week later.',
    'A database that owned the store before does not own it any more.',
  ].join('\n'),
  options: {},
  example: 'blobs adopt',
  async run({ db, config }) {
    await reached(config, (store) => adoptStore(db, store));
    return done('This database owns the blob store.', {});
  },
};

const collect: Command = {
  name: 'blobs collect',
  arguments: [],
  summary: 'Collect garbage: set aside all files that no row references',
  options: {
    'any-share': { type: 'boolean', help: 'even if that is an implausible share of all files; check first' },
  },
  example: 'blobs collect',
  async run({ db, config }, _args, values) {
    const at = await earlierTime(db);
    const options = { anyShare: values['any-share'] === true, now: new Date(at) };
    const result = await reached(config, (store) =>
      collectGarbage(db, store, new Date(at - spareMs), options),
    );
    const { off, unlikely, ...counts } = result;
    const why = off ?? unlikely;
    if (why !== undefined) throw new CommandError(`Files were not collected: ${why}.`);
    return fields({ ...counts });
  },
};

/**
 * The time of this machine or of the database, whichever is behind: one that is ahead makes a file old that
 * waits for its commit. In milliseconds since 1970.
 */
async function earlierTime(db: Db): Promise<number> {
  const [row] = await db.execute<{ ms: number }>(
    sql`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`,
  );
  return Math.min(Date.now(), row!.ms);
}

async function reached<T>({ blobs }: Config, work: (store: BlobStore) => Promise<T>): Promise<T> {
  try {
    return await work(await openStore(blobs));
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new CommandError(`BLOBS_URL: the blob store does not answer: ${String(error.cause)}`, {
      cause: error,
    });
  }
}

/** Writes one line a second, and one at the end. */
function reporter(stderr: { write(text: string): unknown }): (progress: VerifyProgress) => void {
  let next = performance.now() + progressEveryMs;
  return ({ rows, of, bytes }) => {
    if (performance.now() < next && rows < of) return;
    next = performance.now() + progressEveryMs;
    stderr.write(`${rows} of ${count(of, 'file')}, ${sizeOf(bytes)}\n`);
  };
}

/**
 * The commands `blobs verify` (compares each stored file with its row and changes nothing), `blobs adopt`
 * (makes this database the owner of the blob store) and `blobs collect` (sets aside files of more than an
 * hour ago that no row refers to).
 */
export const blobCommands: readonly Command[] = [verify, adopt, collect];
