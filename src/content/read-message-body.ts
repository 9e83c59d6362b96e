import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { MessageFormat } from '../platform/vocabulary.ts';
import { UnreadableBody } from './dom/tree.ts';
import type { EncodedText } from './encode-text-part.ts';
import type { BodyFindings, ReadBody } from './html/clean-html.ts';
import type { RemotePictures } from './html/pictures.ts';
import type { TakenOut } from './pasted-pictures.ts';
import { inThread, threadThreshold } from './run-in-thread.ts';
import { type ReadRequest, tasks } from './thread-tasks.ts';

/** Bodies of fewer characters are not cached: reading them costs as little as a lookup. */
const smallBody = 500;
/** Size of the cache in bytes. */
const cacheBytes = 64 * 1024 * 1024;

const cache = new LRUCache<string, ReadBody>({
  maxSize: cacheBytes,
  maxEntrySize: cacheBytes / 4,
  // Strings take up to two bytes per character.
  sizeCalculation: ({ html, text }) => 1024 + 2 * (html.length + text.length),
});
/** Milliseconds per turn of the event loop: a page of fifty messages is read over several turns. */
const mostPerTurn = 20;
let spent = 0;

const pending = new Map<string, Promise<ReadBody>>();

/**
 * Makes safe HTML and plain text of a message's body. HTML is cleaned (see `cleanHtml`); a plain text is
 * kept as it is, and its HTML has links. Results are cached, except those of bodies under 500 characters, and
 * concurrent calls for the same large body share one read. A body of 65,536 characters or more is read in a
 * worker thread. Remote images are held back by default.
 * @throws UnreadableBody when HTML exceeds the limits on work or memory; the message is meant for the
 *   author. Unavailable when too many large bodies wait, Error when a large one has crashed two threads
 */
export async function readBody(
  body: string,
  format: MessageFormat,
  { remotePictures = 'HELD' }: { readonly remotePictures?: RemotePictures } = {},
): Promise<ReadBody> {
  const request: ReadRequest = { body, format, remotePictures };
  if (body.length < smallBody) return tasks.read(request);
  const key = `${format} ${remotePictures} ${hash('sha256', body, 'base64')}`;
  const known = cache.get(key) ?? pending.get(key);
  if (known !== undefined) return known;
  if (body.length < threadThreshold) return remember(key, await readHere(request));
  const reading = inThread({ task: 'read', request })
    .then((result) => remember(key, result))
    .finally(() => pending.delete(key));
  pending.set(key, reading);
  return reading;
}

/**
 * Finds out what cleaning a new HTML body would change, and whether it is blank. A large body is checked in a
 * worker thread, which makes neither its HTML nor its text: those are made when the body is first shown,
 * perhaps by another process.
 * @throws as {@link readBody} does
 */
export async function checkHtml(body: string): Promise<BodyFindings> {
  return body.length < threadThreshold
    ? readBody(body, 'HTML')
    : inThread({ task: 'checkHtml', request: body });
}

/** Reads a body in this thread when the current turn has time left. */
async function readHere(request: ReadRequest): Promise<ReadBody> {
  while (spent > mostPerTurn) await new Promise((resolve) => setImmediate(resolve));
  if (spent === 0)
    setImmediate(() => {
      spent = 0;
    });
  const begin = performance.now();
  try {
    return tasks.read(request);
  } finally {
    spent += performance.now() - begin;
  }
}

/**
 * Reads a stored body like {@link readBody}. An old or imported one may exceed today's limits; then a notice
 * in English takes its place, so that the rest of the page is readable.
 * @throws as {@link readBody} does, but not UnreadableBody
 */
export async function readStoredBody(...parameters: Parameters<typeof readBody>): Promise<ReadBody> {
  return readBody(...parameters).catch((error) => {
    if (!(error instanceof UnreadableBody)) throw error;
    return unreadable;
  });
}

const words = 'This message cannot be shown: reading its HTML takes too much work.';
const unreadable: ReadBody = {
  html: `<p>${words}</p>`,
  text: words,
  links: [],
  pictures: [],
  changes: [],
  blank: false,
  needsFiles: false,
};

/**
 * Takes the pasted images out of an HTML body and returns both, see `takeOutPictures`. A large body is
 * processed in a worker thread.
 * @throws as {@link readBody} does
 */
export async function withoutPasted(body: string): Promise<TakenOut> {
  if (!/<im(?:g|age)/i.test(body)) return { body, pictures: [] };
  if (body.length < threadThreshold) return tasks.takeOutPictures(body);
  return inThread({ task: 'takeOutPictures', request: body });
}

function remember(key: string, result: ReadBody): ReadBody {
  cache.set(key, result);
  return result;
}

/**
 * Encodes a text part of a mail, see `encodeTextPart`. A large one is processed in a worker thread.
 * @throws Unavailable when too many large texts wait, Error when a large one has crashed two threads
 */
export const encodedText = async (text: string): Promise<EncodedText> =>
  text.length < threadThreshold
    ? tasks.encodeTextPart(text)
    : inThread({ task: 'encodeTextPart', request: text });
