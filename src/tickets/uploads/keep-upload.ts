import type postgres from 'postgres';
import type { StoredBlob } from '../../storage/blob-store.ts';
import { uploadLifetimeHours } from '../../storage/expire.ts';

/** A file that is here but belongs to no message yet. */
export interface Upload {
  readonly id: string;
  readonly fileName: string;
  readonly contentType: string;
  readonly byteSize: number;
  readonly sha256: Buffer;
}

export interface NamedBlob {
  readonly id: string;
  readonly userId: number;
  readonly blob: StoredBlob;
  readonly fileName: string;
  readonly contentType: string;
}

/**
 * Writes down that an upload is here whole, by whichever door; what it was while it arrived goes in the same commit. One part of a
 * request may become several uploads.
 */
export async function keepUpload(
  sql: postgres.Sql,
  { id, userId, blob, ...names }: NamedBlob,
): Promise<Upload> {
  const { key, byteSize, sha256 } = blob;
  const { fileName, contentType } = names;
  await sql`
    with arrived as (delete from open_uploads where id = ${id}),
      bytes as (insert into blobs (key, byte_size, sha256) values (${key}, ${byteSize}, ${sha256})
        on conflict (key) do nothing)
    insert into uploads (id, user_id, blob_key, file_name, content_type)
    values (${id}, ${userId}, ${key}, ${fileName}, ${contentType})`;
  return { id, fileName, contentType, byteSize, sha256 };
}

/** A user's upload that is here whole and has not expired; whether it was attached already is told. */
export async function findUpload(
  sql: postgres.Sql,
  id: string,
  userId: number,
): Promise<(Upload & { attached: boolean; expiresInSeconds: number }) | undefined> {
  const [row] = await sql<(Upload & { attached: boolean; expiresInSeconds: number })[]>`
    select u.id, u.file_name as "fileName", u.content_type as "contentType", b.byte_size as "byteSize", b.sha256,
      exists (select from attachments a where a.upload_id = u.id) as attached,
      extract(epoch from u.created_at + make_interval(hours => ${uploadLifetimeHours}) - now())::int as "expiresInSeconds"
    from uploads u join blobs b on b.key = u.blob_key
    where u.id = ${id} and u.user_id = ${userId} and u.created_at > now() - make_interval(hours => ${uploadLifetimeHours})`;
  return row;
}
