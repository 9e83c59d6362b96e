/**
 * Why an upload does not go on; each is the sender's to mend. What a command refuses in general is a Refusal.
 */
export const uploadFaults = [
  /** There is no such upload, or it is another user's, or its day is over. */
  'UPLOAD_NOT_FOUND',
  /** It goes on at another byte. */
  'UPLOAD_OFFSET',
  /** What was said of its length is not so. */
  'UPLOAD_MISMATCH',
  /** What arrived does not have the digest that was announced. */
  'UPLOAD_DIGEST',
  /** All of it is here already. */
  'UPLOAD_COMPLETE',
  /** Another request for it does not end. */
  'UPLOAD_BUSY',
  /** Its user has as many on the way as a user may have. */
  'TOO_MANY_UPLOADS',
] as const;
export type UploadFaultCode = (typeof uploadFaults)[number];

export class UploadFault extends Error {
  readonly code: UploadFaultCode;
  /** Bytes that are here, where that is the question. */
  readonly offset: number | undefined;

  constructor(code: UploadFaultCode, message: string, offset?: number) {
    super(message);
    this.name = 'UploadFault';
    this.code = code;
    this.offset = offset;
  }
}

export const uploadNotFound = (): UploadFault =>
  new UploadFault('UPLOAD_NOT_FOUND', 'There is no such upload, or it has expired');
