import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { BodyBinder, bindBody } from '../../../src/legacy/bind-body.ts';
import { Spools } from '../../../src/legacy/dotnet/file-spool.ts';
import type { Receive } from '../../../src/platform/incoming-file.ts';

const full = () => Promise.reject(new Error('ENOSPC: no space left on device, open'));
const piece = Buffer.alloc(100_000, 'a');

/** Stores that fail: before they read anything, and after the first piece. */
const stores: Readonly<Record<string, Receive>> = {
  'before it reads': full,
  'after a turn, without reading': () => new Promise((resolve) => setImmediate(resolve)).then(full),
  'at the first piece': async (source) => {
    for await (const _ of source) await full();
    return full();
  },
};

test.each(Object.keys(stores))('a request goes on when the store fails %s', async (when) => {
  const spools = new Spools(stores[when]!);
  const spool = spools.create();
  for (let written = 0; written < 4; written += 1) spool.write(piece);
  await spools.congestion;
  spool.write(piece);
  spool.write(piece);
  spool.write(piece);
  await spools.congestion;
  spool.end();
  await expect(spool.received).rejects.toThrow('ENOSPC');
});

test('the body of a message is read to its end when the disk is full', async () => {
  const body = JSON.stringify({
    TicketId: 1,
    Attachments: [{ FileName: 'a.bin', Data: Buffer.alloc(2_000_000).toString('base64') }],
  });
  const request = Object.assign(new PassThrough(), { headers: {} });
  const spools = new Spools(full);
  const reading = bindBody(
    request as unknown as IncomingMessage,
    new BodyBinder('json', 'utf-8', spools),
    spools,
    10_000_000,
  );
  for (let at = 0; at < body.length; at += 65_536) request.write(body.slice(at, at + 65_536));
  request.end();
  const { post, errors } = await reading;
  expect(errors).toEqual([]);
  await expect(post?.Attachments?.[0]?.Data?.received).rejects.toThrow('ENOSPC');
});
