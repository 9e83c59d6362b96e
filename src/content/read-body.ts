import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { MessageFormat } from '../platform/vocabulary.ts';
import { UnreadableBody } from './dom/tree.ts';
import type { ReadBody } from './html/clean.ts';
import type { RemotePictures } from './html/pictures.ts';
import { inThread, large } from './large.ts';
import type { TakenOut } from './pasted.ts';
import { type ReadRequest, tasks } from './tasks.ts';
import type { EncodedText } from './text-part.ts';

/** Characters below which reading a body anew costs as little as looking it up. */
const smallBody = 500;
/** Bytes of what was read that are kept. */
const keptBytes = 64 * 1024 * 1024;

const kept = new LRUCache<string, ReadBody>({
  maxSize: keptBytes,
  maxEntrySize: keptBytes / 4,
  // Strings take up to two bytes a character.
  sizeCalculation: ({ html, text }) => 1024 + 2 * (html.length + text.length),
});
/**
 * Milliseconds that reading may take in one turn of the event loop: a page of fifty messages is read in a few
 * of them.
 */
const mostPerTurn = 20;
let spent = 0;

const underWay = new Map<string, Promise<ReadBody>>();

/**
 * What a body says and how it is shown; the same body is read once. Remote pictures are held back unless they
 * are asked for.
 * @throws UnreadableBody when it takes more work than its length pays for; its message is for its author
 */
export async function readBody(
  body: string,
  format: MessageFormat,
  { remotePictures = 'HELD' }: { readonly remotePictures?: RemotePictures } = {},
): Promise<ReadBody> {
  const request: ReadRequest = { body, format, remotePictures };
  if (body.length < smallBody) return tasks.read(request);
  const key = `${format} ${remotePictures} ${hash('sha256', body, 'base64')}`;
  const known = kept.get(key) ?? underWay.get(key);
  if (known !== undefined) return known;
  if (body.length < large) return keep(key, await readHere(request));
  const reading = inThread({ task: 'read', request })
    .then((result) => keep(key, result))
    .finally(() => underWay.delete(key));
  underWay.set(key, reading);
  return reading;
}

/** Reads a body in this thread, once it is this body's turn. */
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
 * A stored body. An old or imported one may be such as no new message may be; it must not take its page with
 * it.
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
 * Takes the pictures that were pasted into HTML out of it, see `takeOutPictures`.
 * @throws UnreadableBody
 */
export async function withoutPasted(body: string): Promise<TakenOut> {
  if (!/<im(?:g|age)/i.test(body)) return { body, pictures: [] };
  if (body.length < large) return tasks.takeOutPictures(body);
  return inThread({ task: 'takeOutPictures', request: body });
}

function keep(key: string, result: ReadBody): ReadBody {
  kept.set(key, result);
  return result;
}

/** A text as it goes on the wire in a mail. */
export const encodedText = async (text: string): Promise<EncodedText> =>
  text.length < large ? tasks.encodeTextPart(text) : inThread({ task: 'encodeTextPart', request: text });
