import { once } from 'node:events';
import { connect } from 'node:net';
import { heard } from './observed/replies.ts';

/** What a server answered to bytes of our own making, and whether it closed the connection behind it. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly closed: boolean;
}

/**
 * Sends bytes as they are. Resolves when the connection is closed, or when an answer of a known length is
 * whole and the connection stays open.
 * @param url of a server on this machine
 */
export async function sendRaw(url: string, request: string | Buffer): Promise<RawAnswer> {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(request);
  let text = '';
  const isWhole = () => {
    const end = text.indexOf('\r\n\r\n');
    const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end + 2))?.[1];
    const keepsOpen = !/\r\nconnection: *close/i.test(text.slice(0, end + 2));
    return end >= 0 && keepsOpen && length !== undefined && text.length >= end + 4 + Number(length);
  };
  let closed = true;
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString('latin1');
    if (!isWhole()) continue;
    closed = false;
    break;
  }
  socket.destroy();
  heard(url, text);
  return { ...parseAnswer(text), closed };
}

function parseAnswer(text: string): Omit<RawAnswer, 'closed'> {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((each) => [
      each.slice(0, each.indexOf(':')).toLowerCase(),
      each.slice(each.indexOf(':') + 1).trim(),
    ]),
  );
  return { status: Number(line.split(' ')[1]), headers, body: text.slice(end + 4) };
}

/** A POST of JSON to /graphql, as bytes. */
export function rawPost(
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
  { target = '/graphql', version = 'HTTP/1.1', host = 'localhost' } = {},
): Buffer {
  const bytes = Buffer.from(body);
  const all = {
    ...(version === 'HTTP/1.0' ? {} : { Host: host }),
    'Content-Type': 'application/json',
    'Content-Length': String(bytes.length),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${target} ${version}\r\n${lines.join('')}\r\n`), bytes]);
}
