import type { IncomingMessage } from 'node:http';
import { queryParameters } from '../../platform/http/query-parameters.ts';
import type { NewUpload } from '../../tickets/uploads/store-in-one-request.ts';
import { fileNameOf } from '../content-disposition.ts';
import type { UploadFields } from './header-fields.ts';
import { RequestFault } from './problems.ts';

/**
 * Describes the file of a new upload. The name is the query's `fileName`, else the one in
 * Content-Disposition; the type is the query's `contentType`, else Content-Type. Either is empty if there is
 * none. The query is for clients that cannot set headers. The size is Upload-Length, else Content-Length; it
 * is undefined if both are missing, and if Upload-Length is missing with `Upload-Complete: ?0`.
 * @throws RequestFault UNSUPPORTED_MEDIA_TYPE for a Content-Encoding other than `identity`, and for a form;
 *   BAD_REQUEST when Upload-Length and Content-Length do not agree, and for a query that is not UTF-8
 */
export function newUploadOf(
  req: IncomingMessage,
  { complete, length, contentLength, sha256 }: UploadFields,
): NewUpload {
  if (!/^(identity)?$/i.test(req.headers['content-encoding'] ?? ''))
    throw new RequestFault('UNSUPPORTED_MEDIA_TYPE', 'Send the file without a Content-Encoding');
  const query = queryParameters(req.url ?? '');
  if (query === undefined) throw new RequestFault('BAD_REQUEST', 'The parameters in the URL are not UTF-8');
  const type = query.get('contentType') ?? req.headers['content-type'] ?? '';
  if (
    /^\s*(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(req.headers['content-type'] ?? '')
  ) {
    const message = 'Send the file itself as the body, with its own Content-Type; a form is for /graphql';
    throw new RequestFault('UNSUPPORTED_MEDIA_TYPE', message);
  }
  const whole = complete === false ? undefined : contentLength;
  if (
    length !== undefined &&
    contentLength !== undefined &&
    (complete === false ? contentLength > length : whole !== length)
  )
    throw new RequestFault('BAD_REQUEST', 'Upload-Length and Content-Length do not agree');
  const fileName = query.get('fileName') ?? fileNameOf(req.headers['content-disposition']) ?? '';
  return { fileName, contentType: type, byteSize: length ?? whole, sha256 };
}
