import type { ServerResponse } from 'node:http';
import { encodeGlobalId } from '../../platform/global-id.ts';
import { writeHead } from '../../platform/http/send-response.ts';
import type { Upload } from '../../tickets/uploads/complete-uploads.ts';
import { sendJson } from '../respond.ts';
import { digestField } from './header-fields.ts';

/**
 * Sends 201 for a finished upload, whether it came in one request or in several. The JSON has the fields of
 * the payload of `uploadFile`: `upload` (its global id), `fileName`, `contentType`, `byteSize` and `sha256`
 * in hexadecimal. Repr-Digest has the digest, too.
 */
export function sendComplete(
  res: ServerResponse,
  upload: Upload,
  headers: Record<string, string> = {},
): void {
  const { id, fileName, contentType, byteSize, sha256 } = upload;
  const payload = {
    upload: encodeGlobalId('Upload', id),
    ...{ fileName, contentType, byteSize },
    sha256: sha256.toString('hex'),
  };
  sendJson(res, 201, payload, { 'Repr-Digest': digestField(sha256), ...headers });
}

/**
 * Sends the offset reached so far, in bytes, for an upload that is not complete: the headers Upload-Offset
 * and `Upload-Complete: ?0`, and no body.
 * @param status 201 when the request created the upload, 204 when it appended to it
 */
export function sendProgress(
  res: ServerResponse,
  status: 201 | 204,
  offset: number,
  headers: Record<string, string> = {},
): void {
  writeHead(res, status, {
    'Upload-Offset': String(offset),
    'Upload-Complete': '?0',
    'Cache-Control': 'no-store',
    ...(status === 201 ? { 'Content-Length': '0' } : {}),
    ...headers,
  });
  res.end();
}
