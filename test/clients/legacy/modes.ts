import { join } from 'node:path';

/** How each client is tried. */
export const modes = [
  { mode: 'json', title: 'JSON' },
  { mode: 'xml', title: 'XML' },
  { mode: 'challenge', title: 'challenge first' },
  { mode: 'expect', title: 'Expect, stream' },
  { mode: 'big', title: '4 MB file, chunks' },
] as const;
export type Mode = (typeof modes)[number]['mode'];

export interface Body {
  readonly file: string;
  readonly type: string;
  /** What must be stored of it: its text, and the bytes of its file. */
  readonly message: string;
  readonly bytes: number;
}

const czech = 'Příliš žluťoučký kůň úpěl ďábelské ódy. „Dobrý den,“ řekl – 5 € 😀';
const posts = 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts';

/** Writes a file for each way. */
export async function bodiesIn(
  folder: string,
  write: (path: string, text: string) => Promise<void>,
): Promise<Record<Mode, Body>> {
  const size = 4_000_000;
  const data = Buffer.alloc(size, 'abcdefg').toString('base64');
  const xml =
    '<?xml version="1.0" encoding="utf-8"?><NewMessagePost ' +
    `xmlns="${posts}"><Message>${czech}</Message><TicketId>47</TicketId></NewMessagePost>`;
  const json = JSON.stringify({ TicketREF: 'INC-000047', TicketId: null, Message: czech });
  const big = JSON.stringify({
    TicketId: 47,
    Message: czech,
    Attachments: [{ FileName: 'velký.bin', ContentType: 'application/octet-stream', Data: data }],
  });
  const made = async (mode: Mode, type: string, text: string, bytes = 0): Promise<Body> => {
    const file = join(folder, `${mode}.body`);
    await write(file, text);
    return { file, type, message: czech, bytes };
  };
  return {
    json: await made('json', 'application/json', json),
    xml: await made('xml', 'application/xml', xml),
    challenge: await made('challenge', 'application/json; charset=utf-8', json),
    expect: await made('expect', 'text/json', big, size),
    big: await made('big', 'application/json', big, size),
  };
}
