import { BodyBinder } from '../../../src/legacy/bind-body.ts';
import type { Charset } from '../../../src/legacy/dotnet/charset.ts';
import { Spools } from '../../../src/legacy/dotnet/file-spool.ts';
import type { Format } from '../../../src/legacy/dotnet/negotiation.ts';
import type { NewMessagePost } from '../../../src/legacy/dotnet/new-message-post.ts';
import { receiveInMemory } from '../received.ts';

/** Binds a body that arrives in pieces of `size` bytes; files come back as base64. */
export async function bind(format: Format, charset: Charset, body: Buffer | string, size = 65_536) {
  const bytes = Buffer.from(body);
  const spools = new Spools(receiveInMemory);
  try {
    const reader = new BodyBinder(format, charset, spools);
    for (let at = 0; at < bytes.length; at += size) {
      reader.push(bytes.subarray(at, at + size));
      await spools.congestion;
    }
    const { post, errors } = reader.end();
    return { post: post && (await plain(post)), errors };
  } finally {
    spools.release();
  }
}

async function plain(post: NewMessagePost) {
  const attachments = post.Attachments?.map(async (attachment) => {
    if (!attachment) return null;
    const Data = attachment.Data && (await attachment.Data.received).key;
    return { ...attachment, Data };
  });
  return { ...post, Attachments: attachments ? await Promise.all(attachments) : null };
}
