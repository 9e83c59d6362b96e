/** Codes of the errors that an upload's client can correct. All other errors of uploads are a `Refusal`. */
export const uploadFaults = [
  /** The upload does not exist, belongs to another user, or has expired. */
  'UPLOAD_NOT_FOUND',
  /** The request's offset is not the number of bytes that have arrived. */
  'UPLOAD_OFFSET',
  /** The declared sizes disagree with each other or with the bytes. */
  'UPLOAD_MISMATCH',
  /** The bytes do not match the declared digest. */
  'UPLOAD_DIGEST',
  /** The upload is complete already. */
  'UPLOAD_COMPLETE',
  /** Another request for this upload is still in progress. The client may try again. */
  'UPLOAD_BUSY',
  /** The user has reached the limit of unfinished uploads. */
  'TOO_MANY_UPLOADS',
] as const;
/** One of `uploadFaults`. */
export type UploadFaultCode = (typeof uploadFaults)[number];

/** An upload request failed in a way that its client can correct. */
export class UploadFault extends Error {
  readonly code: UploadFaultCode;
  /** Number of bytes that have arrived, for a client that can go on from there; else undefined. */
  readonly offset: number | undefined;

  constructor(code: UploadFaultCode, message: string, offset?: number) {
    super(message);
    this.name = 'UploadFault';
    this.code = code;
    this.offset = offset;
  }
}

/** Makes the fault for an upload that does not exist, belongs to another user, or has expired. */
export const uploadNotFound = (): UploadFault =>
  new UploadFault('UPLOAD_NOT_FOUND', 'There is no such upload, or it has expired');
