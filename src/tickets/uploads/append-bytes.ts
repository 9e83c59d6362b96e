import { openUploads } from '../../db/tables.ts';
import { Refusal } from '../../platform/errors.ts';
import { BlobMissing, BlobOffset, BlobTooLarge } from '../../storage/blob-store.ts';
import type { TicketContext } from '../context.ts';
import { requireViewer } from '../permissions.ts';
import { refuse } from '../refusals-by-command.ts';
import { findUpload, recordUpload, type Upload } from './complete-uploads.ts';
import { UploadFault, uploadNotFound } from './fault.ts';
import { holdsLease, isHeldBy, recordArrivedBytes } from './lease.ts';
import { leastBytes, readQuotaUse, refusalBeyondAvailable, withQuota } from './quota.ts';
import { arrivedOf, findOpenUpload, forgetOpenUpload, type OpenUpload } from './resumable.ts';
import { busy, runExclusively } from './run-exclusively.ts';
import { digestMismatch, type IncomingBody } from './store-in-one-request.ts';
import { takeOverBytes } from './take-over.ts';

/** Input of `appendToUpload`. Sizes and offsets are in bytes. */
export interface AppendInput {
  /** The upload's UUID. */
  readonly id: string;
  /** Number of the request, by `nextArrival`. */
  readonly arrival: number;
  /** Offset at which the request continues. */
  readonly offset: number;
  /** Whether the upload is complete after this request, if its whole body arrives. */
  readonly complete: boolean;
  /** Size of the whole upload, if the request declares it. */
  readonly byteSize?: number | undefined;
  /** Size of this request's body, if declared. */
  readonly comingBytes?: number | undefined;
}

/** Result of `appendToUpload`. */
export interface Appended {
  /** Bytes of the upload that have arrived; for a request that broke off before its turn, its own offset. */
  readonly offset: number;
  /** Whether the request broke off, or was ended by a later one. The bytes that arrived are kept. */
  readonly brokenOff: boolean;
  /** The upload, once it is complete; undefined until then. */
  readonly upload: Upload | undefined;
}

/**
 * Appends the bytes of a request to the viewer's own upload, and completes it with the last request. Another
 * request for the upload that is still sending is ended first. Bytes that arrived are kept even when the
 * request breaks off. If the response to the last request was lost, an empty last request at the upload's end
 * returns the complete upload again. The credential is checked again before the upload is completed.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `write`; ATTACHMENT_TOO_LARGE: the upload is
 *   gone, unless its announced size is above the limit of a file
 * @throws UploadFault UPLOAD_NOT_FOUND; UPLOAD_OFFSET and UPLOAD_COMPLETE with the offset; UPLOAD_MISMATCH
 *   (the upload is gone if more bytes came than announced); UPLOAD_DIGEST (the upload is gone); UPLOAD_BUSY
 * @throws BadCredential when the credential is no longer valid at the end. The bytes are kept
 */
export async function appendToUpload(
  ctx: TicketContext,
  input: AppendInput,
  source: IncomingBody,
): Promise<Appended> {
  const { commands } = ctx.services.database;
  requireViewer(ctx, 'write');
  if ((await findOpenUpload(ctx, input.id)) === undefined) return replayed(ctx, input);
  const stop = () => source.stop(new Error('another request continues this upload'));
  return runExclusively(
    commands,
    input.id,
    input.arrival,
    stop,
    async (writer) => {
      const found = await findOpenUpload(ctx, input.id);
      if (found === undefined) return replayed(ctx, input);
      return appendInTurn(ctx, { ...found, writer }, input, source);
    },
    (writer) => takeOverBytes(ctx.services, input.id, writer),
  );
}

/** An unfinished upload whose lease this request has. */
interface HeldUpload extends OpenUpload {
  /** By which the upload's row names this request. */
  readonly writer: string;
}

async function appendInTurn(
  ctx: TicketContext,
  open: HeldUpload,
  input: AppendInput,
  source: IncomingBody,
): Promise<Appended> {
  // Its client may have asked for the offset already and may continue from there.
  if (source.broken) return { offset: input.offset, brokenOff: true, upload: undefined };
  const byteSize = await agreedSize(ctx, open, input);
  const { offset, whole } = await append(ctx, open, input, byteSize, source);
  if (!(await recordArrivedBytes(ctx.services.database.commands, open.id, open.writer, offset))) throw busy();
  if (!whole) return { offset, brokenOff: true, upload: undefined };
  if (!input.complete) return { offset, brokenOff: false, upload: undefined };
  if (byteSize !== null && offset !== byteSize)
    throw mismatch(`The upload has ${offset} bytes; ${byteSize} were announced`, offset);
  return { offset, brokenOff: false, upload: await finish(ctx, open) };
}

/** Answers a client that repeats its last request because the answer was lost. */
async function replayed(ctx: TicketContext, { id, offset, complete }: AppendInput): Promise<Appended> {
  const whole = await findUpload(ctx.services.database.commands, id, requireViewer(ctx, 'write').userId);
  if (whole === undefined) throw uploadNotFound();
  if (!complete || offset !== whole.byteSize)
    throw new UploadFault('UPLOAD_COMPLETE', 'The upload is already complete', whole.byteSize);
  return { offset, brokenOff: false, upload: whole };
}

/** The declared size of the whole upload. All declarations have to agree. */
async function agreedSize(
  ctx: TicketContext,
  open: HeldUpload,
  { offset, complete, byteSize, comingBytes }: AppendInput,
): Promise<number | null> {
  const end = comingBytes === undefined ? undefined : offset + comingBytes;
  const said = [open.byteSize ?? undefined, byteSize, complete ? end : undefined].filter(
    (size) => size !== undefined,
  );
  const [size] = said;
  if (said.some((other) => other !== size))
    throw mismatch('The requests declare different sizes for this upload', undefined);
  if (size !== undefined && end !== undefined && end > size)
    throw mismatch(`The upload would have ${end} bytes; ${size} were announced`, undefined);
  const isNews = size !== undefined && open.byteSize === null;
  // What is said by a request that does not continue the upload must not bind those that do.
  const arrived = isNews ? await arrivedOf(ctx, open, open.writer) : offset;
  if (arrived !== offset) throw wrongOffset(arrived, offset);
  const { attachmentBytes } = ctx.services.limits;
  if (size !== undefined && size > attachmentBytes)
    throw refuse<'uploadFile'>(refusalBeyondAvailable(ctx.services, attachmentBytes));
  if (isNews) await declareSize(ctx, open, size);
  return size ?? null;
}

/**
 * Records a size that was not announced at the beginning. Of uploads that are too large together, those that
 * declare their sizes first go on.
 */
async function declareSize(ctx: TicketContext, open: HeldUpload, byteSize: number): Promise<void> {
  const { database, limits } = ctx.services;
  const fits = await withQuota(database.commands, open.userId, async (tx, held) => {
    const others = held.bytes - Math.max(open.arrived, leastBytes);
    if (others + byteSize > limits.uploadedBytes) return false;
    const declared = await tx
      .update(openUploads)
      .set({ byteSize })
      .where(isHeldBy(open.id, open.writer))
      .returning({ id: openUploads.id });
    if (declared.length === 0) throw busy();
    return true;
  });
  if (fits) return;
  await giveUp(ctx, open);
  throw refuse<'uploadFile'>(refusalBeyondAvailable(ctx.services, 0));
}

/** Where an append has led to. */
interface Reached {
  /** Bytes of the upload that have arrived. */
  readonly offset: number;
  /** Whether the whole body of the request is among them. */
  readonly whole: boolean;
}

async function append(
  ctx: TicketContext,
  open: HeldUpload,
  input: AppendInput,
  byteSize: number | null,
  source: IncomingBody,
): Promise<Reached> {
  const { offset } = input;
  const { blobs, database, limits } = ctx.services;
  const { bytes } = await readQuotaUse(database.commands, open.userId);
  // This upload is counted in `bytes` already.
  const left = limits.uploadedBytes - bytes + Math.max(byteSize ?? 0, open.arrived);
  const room = Math.max(0, Math.min(limits.attachmentBytes, left));
  try {
    const options = { offset, maxBytes: Math.min(room, byteSize ?? room) };
    const reached = await blobs.append(open.blobKey, source, options);
    return { offset: reached, whole: source.ended };
  } catch (error) {
    if (error instanceof BlobOffset) throw wrongOffset(error.byteSize, offset);
    if (!(error instanceof BlobMissing || error instanceof BlobTooLarge)) throw error;
    const finished = error instanceof BlobMissing ? await blobs.byteSizeOf(open.blobKey) : undefined;
    if (finished !== undefined) return afterFinish(finished, input);
    // It cannot be continued.
    await giveUp(ctx, open);
    if (error instanceof BlobMissing) throw uploadNotFound();
    if (byteSize !== null && byteSize <= room)
      throw mismatch(`More than the announced ${byteSize} bytes arrived`, undefined);
    throw refuse<'uploadFile'>(refusalBeyondAvailable(ctx.services, room));
  }
}

/**
 * Goes on with an upload whose bytes are complete, but that could not be recorded as complete: the database
 * failed meanwhile. Its client repeats the last request, as after a lost answer.
 * @param byteSize of the whole upload
 */
function afterFinish(byteSize: number, { offset, complete }: AppendInput): Reached {
  if (!complete || offset !== byteSize) throw wrongOffset(byteSize, offset);
  return { offset, whole: true };
}

async function finish(ctx: TicketContext, open: HeldUpload): Promise<Upload> {
  const { blobs, database, limits } = ctx.services;
  // The upload may have taken hours, so the credential is checked again.
  const now = await ctx.signInAgain();
  if (now?.userId !== open.userId || !now.scopes.has('write'))
    throw refuse<'uploadFile'>(new Refusal('FORBIDDEN', 'This credential may not upload any more'));
  const blob = await blobs.finish(open.blobKey);
  if (open.sha256 !== null && !open.sha256.equals(blob.sha256)) {
    await forgetOwn(ctx, open);
    await blobs.remove(blob.key).catch(() => {});
    throw digestMismatch();
  }
  const { id, userId, fileName, contentType } = open;
  const recorded = await withQuota(database.commands, userId, async (tx, held) => {
    if (!(await holdsLease(tx, id, open.writer))) throw busy();
    // Uploads whose sizes were not announced may have become too large together.
    if (held.bytes > limits.uploadedBytes) return undefined;
    return recordUpload(tx, { id, userId, blob, fileName, contentType });
  });
  if (recorded !== undefined) return recorded;
  await forgetOwn(ctx, open);
  await blobs.remove(blob.key).catch(() => {});
  throw refuse<'uploadFile'>(refusalBeyondAvailable(ctx.services, 0));
}

async function giveUp(ctx: TicketContext, open: HeldUpload): Promise<void> {
  await forgetOwn(ctx, open);
  await ctx.services.blobs.abandon(open.blobKey).catch(() => {});
}

/** Deletes the upload's row, unless another request has taken the upload since: it goes on with it. */
async function forgetOwn({ services }: TicketContext, { id, writer }: HeldUpload): Promise<void> {
  if ((await forgetOpenUpload(services.database.commands, id, writer)) === undefined) throw busy();
}

const wrongOffset = (byteSize: number, offset: number): UploadFault =>
  new UploadFault('UPLOAD_OFFSET', `The upload continues at byte ${byteSize}, not ${offset}`, byteSize);

const mismatch = (message: string, offset: number | undefined): UploadFault =>
  new UploadFault('UPLOAD_MISMATCH', message, offset);
