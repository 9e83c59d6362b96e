import { connect, type Socket } from 'node:net';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** A complete HTTP/1.1 POST, made once: the benchmark measures servers, not clients. */
export function postRequest(path: string, headers: Readonly<Record<string, string>>, body: string): string {
  const all = {
    host: 'localhost',
    'content-type': 'application/json',
    accept: 'application/json',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return (
    `POST ${path} HTTP/1.1\r\n${lines.join('')}content-length: ` + `${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

/** One kept-alive connection with one request in flight; no more than a benchmark needs of HTTP. */
export class Connection {
  readonly #port: number;
  #socket: Socket;
  #chunks: Buffer[] = [];
  #received = 0;
  /** Bytes after which the answer is complete, once its head has said so. */
  #expected = 0;
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  constructor(port: number) {
    this.#port = port;
    this.#socket = this.#connect();
  }

  #connect(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')));
    return socket;
  }

  send(request: string): Promise<Answer> {
    // A server closes a connection that was idle for long. What is written to it then has no answer.
    if (this.#socket.destroyed) this.#socket = this.#connect();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    if (this.#received < this.#expected) return;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#received);
    const answer = readAnswer(bytes);
    if (typeof answer === 'number') {
      this.#expected = answer;
      this.#chunks = [bytes];
      return;
    }
    this.#chunks = [];
    this.#received = 0;
    this.#expected = 0;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }
}

/**
 * The answer if it is complete, or else the bytes that it takes at least. One request is in flight, so
 * nothing follows it.
 */
function readAnswer(bytes: Buffer): Answer | number {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return bytes.length + 1;
  const head = bytes.toString('latin1', 0, end);
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const last = end + 4 + Number(length);
    return bytes.length < last ? last : { status, body: bytes.subarray(end + 4, last) };
  }
  if (!bytes.subarray(-5).equals(lastChunk)) return bytes.length + 1;
  return { status, body: unchunk(bytes.subarray(end + 4)) };
}

const lastChunk = Buffer.from('0\r\n\r\n');

function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
