import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { contents } from '../../crash/support/upload.ts';
import { asOperator } from '../../support/gateway.ts';

export const MiB = 1024 * 1024;

/** A way into a server, and how to read the digest of what it took from its answer. */
export interface Door {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What goes before the file and behind it. */
  readonly around?: readonly [before: string, after: string];
  digestIn(answer: string): string;
}

export const rawDoor = (url: string): Door => ({
  url,
  headers: { 'content-type': 'application/octet-stream' },
  digestIn: (answer) => (JSON.parse(answer) as { sha256: string }).sha256,
});

export const uploadsDoor = (gateway: string, headers: Record<string, string> = {}): Door => ({
  url: `${gateway}/uploads`,
  headers: { authorization: asOperator, 'content-type': 'application/octet-stream', ...headers },
  digestIn: (answer) => (JSON.parse(answer) as { sha256: string }).sha256,
});

export function multipartDoor(gateway: string): Door {
  const boundary = 'between-the-parts';
  const query =
    'mutation ($input: UploadFileInput!) { uploadFile(input: $input) { ... on UploadFilePayload { ' +
    'sha256 } ... on UserError { code message } } }';
  const part = (name: string, value: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const before = [
    part('operations', JSON.stringify({ query, variables: { input: { file: null } } })),
    part('map', JSON.stringify({ 0: ['variables.input.file'] })),
    `--${boundary}\r\nContent-Disposition: form-data; name="0"; filename="a.bin"\r\nContent-Type: ` +
      'application/octet-stream\r\n\r\n',
  ].join('');
  return {
    url: `${gateway}/graphql`,
    headers: {
      authorization: asOperator,
      'graphql-preflight': '1',
      'content-type': `multipart/form-data; boundary=${boundary}`,
    },
    around: [before, `\r\n--${boundary}--\r\n`],
    digestIn: (answer) =>
      (JSON.parse(answer) as { data: { uploadFile: { sha256: string } } }).data.uploadFile.sha256,
  };
}

export const digestOf = (size: number): string => {
  const hash = createHash('sha256');
  for (const piece of contents(size)) hash.update(piece);
  return hash.digest('hex');
};

/** Sends one file. @returns seconds. @throws when the server's digest is not the file's */
export async function send(door: Door, size: number, digest: string): Promise<number> {
  const [before, after] = door.around ?? ['', ''];
  const length = Buffer.byteLength(before) + size + Buffer.byteLength(after);
  const from = performance.now();
  const req = request(door.url, { method: 'POST', headers: { ...door.headers, 'content-length': length } });
  const answered = once(req, 'response') as Promise<[IncomingMessage]>;
  if (before !== '') req.write(before);
  for (const piece of contents(size))
    if (!req.write(piece)) await Promise.race([once(req, 'drain'), answered]);
  req.end(after);
  const [answer] = await answered;
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  if (door.digestIn(text) !== digest)
    throw new Error(`${door.url}: ${answer.statusCode} ${text.slice(0, 300)}`);
  return (performance.now() - from) / 1000;
}
