import type { IncomingHttpHeaders } from 'node:http';

/** The draft's version for interoperability (draft-ietf-httpbis-resumable-upload-12). */
export const interopVersion = 8;

/**
 * The upload's header fields in a request. A field that is missing, repeated or of the wrong type is
 * undefined, as the draft requires that it be ignored.
 */
export interface UploadFields {
  /** `Upload-Complete`: whether the file ends with this request's body. */
  readonly complete: boolean | undefined;
  /** `Upload-Offset`: bytes of the file before this request's body. */
  readonly offset: number | undefined;
  /** `Upload-Length`: bytes of the whole file. */
  readonly length: number | undefined;
  /** `Content-Length`: bytes of this request's body. */
  readonly contentLength: number | undefined;
  /** `Repr-Digest`: the SHA-256 of the whole file. */
  readonly sha256: Buffer | undefined;
  /**
   * `Upload-Draft-Interop-Version`: whether it is `interopVersion`, so that the client understands status
   * 104.
   */
  readonly understands104: boolean;
}

/** Parses the header fields of an upload. Never throws. */
export function uploadFieldsOf(headers: IncomingHttpHeaders): UploadFields {
  const complete = itemOf(headers['upload-complete'])?.match(/^\?([01])$/)?.[1];
  return {
    complete: complete === undefined ? undefined : complete === '1',
    offset: integerOf(headers['upload-offset']),
    length: integerOf(headers['upload-length']),
    contentLength: integerOf(headers['content-length']),
    sha256: digestOf(headers['repr-digest']),
    understands104: integerOf(headers['upload-draft-interop-version']) === interopVersion,
  };
}

/** An item without its parameters (RFC 9651 §3.3). Undefined for a repeated field. */
function itemOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value.split(';', 1)[0]!.trim() : undefined;
}

function integerOf(value: string | string[] | undefined): number | undefined {
  const item = itemOf(value);
  return item !== undefined && /^\d{1,15}$/.test(item) ? Number(item) : undefined;
}

/** RFC 9530: `sha-256=:…:`, perhaps among others. */
function digestOf(value: string | string[] | undefined): Buffer | undefined {
  if (typeof value !== 'string') return undefined;
  const digest = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/i.exec(value)?.[1];
  return digest === undefined ? undefined : Buffer.from(digest, 'base64');
}

/** The value of a `Repr-Digest` header with this SHA-256. */
export const digestField = (sha256: Buffer): string => `sha-256=:${sha256.toString('base64')}:`;

/** The value of an `Upload-Complete` header: `?1` or `?0`. */
export const completeField = (complete: boolean): string => (complete ? '?1' : '?0');
