import type { BodyChange } from '../../content/html/body-changes.ts';
import type { PastedPicture } from '../../content/pasted-pictures.ts';
import type { Problem } from '../../platform/errors.ts';
import { decodeGlobalId } from '../../platform/global-id.ts';
import type { IncomingFile } from '../../platform/incoming-file.ts';
import type { TicketContext } from '../context.ts';
import { type ResolvedSelector, resolveSelector, type TicketSelector } from '../ticket-selector.ts';
import type { Authored } from './columns.ts';
import { type EmailReplyInput, type NewEmail, readEmail } from './email-input.ts';
import { canonicalLanguage } from './language-tag.ts';
import { readNewBody } from './read-body.ts';

/** Defaults of a message. The schema shows them as its default values. The other fields default to null. */
export const messageDefaults = {
  format: 'TEXT',
  visibility: 'PUBLIC',
  isMobileDevice: false,
  attachments: [],
  reopen: false,
} as const satisfies Partial<Authored> & Pick<AddTicketMessageInput, 'attachments' | 'reopen'>;

/** A file of this request, or the id of an earlier upload: exactly one of the two. */
export interface FileInput {
  readonly file?: PromiseLike<IncomingFile> | IncomingFile | null | undefined;
  readonly upload?: string | null | undefined;
}

/**
 * An attachment: a file, an upload, or `inline`, which is a file or an upload with the Content-ID that the
 * HTML refers to.
 */
export interface AttachmentInput extends FileInput {
  readonly inline?: InlineAttachmentInput | null | undefined;
  /** Set for a picture that was pasted into the body as a data URL: the input does not list it. */
  readonly isPasted?: true;
}
/** A picture that the message's HTML shows. */
export interface InlineAttachmentInput extends FileInput {
  /** The part after `cid:` in the message's HTML. */
  readonly contentId: string;
}

/** The file or upload of an attachment, and the path to it within the attachment: `[]` or `['inline']`. */
export const fileInputOf = ({ inline, ...own }: AttachmentInput): FileInput & { readonly path: string[] } =>
  inline == null ? { ...own, path: [] } : { file: inline.file, upload: inline.upload, path: ['inline'] };

type Optional<T> = { readonly [K in keyof T]?: T[K] | null | undefined };

/** The command's input. Absent and null both mean the default. */
export interface AddTicketMessageInput extends Optional<Omit<Authored, 'body'>> {
  readonly ticket: TicketSelector;
  readonly body: string;
  readonly attachments?: readonly AttachmentInput[] | null | undefined;
  /** Without it, no mail is sent. */
  readonly email?: EmailReplyInput | null | undefined;
  /** Whether to reopen the ticket if it is closed, in the same commit. For operators. */
  readonly reopen?: boolean | null | undefined;
  /** See `isIdempotencyKey`. The Idempotency-Key header may give it instead. */
  readonly idempotencyKey?: string | null | undefined;
  /**
   * Global id of the last message that the author has seen. If the ticket has a newer one that the author may
   * see, the command is refused with TICKET_CHANGED.
   */
  readonly ifLastMessage?: string | null | undefined;
  /**
   * Hash of a preview, for a message with an e-mail. If the mail would differ from the previewed one, the
   * command is refused with PREVIEW_STALE, and nothing is written.
   */
  readonly expectPreviewHash?: string | null | undefined;
}

/** A parsed input with its defaults filled in. The input is parsed once; later steps use only this. */
export interface NewMessage extends Authored, ResolvedSelector {
  /** As given, so without the pasted pictures. */
  readonly attachments: readonly AttachmentInput[];
  readonly email: NewEmail | null;
  readonly reopen: boolean;
  /** From the input, else from the request's header. */
  readonly idempotencyKey: string | null;
  /** Number of the message. 0 stands for a malformed id, which is reported as a problem. */
  readonly ifLastMessage: number | null;
  readonly expectPreviewHash: string | null;
}

/** A parsed message with its pasted pictures and problems. */
export interface ParsedMessage {
  /** Its body refers to the pasted pictures by Content-ID. */
  readonly message: NewMessage;
  /** Pictures that the given body contained as data URLs. */
  readonly pasted: readonly PastedPicture[];
  /** Parts of the body that will not be shown as written. */
  readonly changes: readonly BodyChange[];
  /**
   * The problems that can be found without the database and without reading files: those of the body, and at
   * most a hundred others. Paths begin at the command's input: `['email', 'cc', 2]`. A malformed ticket
   * selector is none of them: no ticket has it.
   */
  readonly problems: readonly Problem[];
}

/** Most problems that are reported besides those of the body. */
const maxProblems = 100;

/**
 * Parses an input, fills in its defaults and collects its problems. It throws no refusal, and checks no
 * permission. It neither awaits files nor reads the database.
 * @param ctx supplies the limits, the time, and the key from the Idempotency-Key header
 * @returns the message and its problems. A part with a problem has a stand-in: the body is as given, a
 *   malformed language is null, a malformed id in `ifLastMessage` is 0
 * @throws Unavailable when too many large bodies wait to be read
 */
export async function parseMessage(ctx: TicketContext, given: AddTicketMessageInput): Promise<ParsedMessage> {
  const { limits } = ctx.services;
  const attachments = given.attachments ?? messageDefaults.attachments;
  const format = given.format ?? messageDefaults.format;
  const read = await readNewBody(limits, { body: given.body, format, attachments: attachments.length });
  const email = given.email == null ? null : readEmail(given.email, limits.recipients, ctx.now());
  const language = given.language == null ? null : canonicalLanguage(given.language);
  const message: NewMessage = {
    ...resolveSelector(given.ticket),
    body: read.body,
    format,
    visibility: given.visibility ?? messageDefaults.visibility,
    isMobileDevice: given.isMobileDevice ?? messageDefaults.isMobileDevice,
    language: language ?? null,
    attachments,
    email: email?.email ?? null,
    reopen: given.reopen ?? messageDefaults.reopen,
    idempotencyKey: given.idempotencyKey ?? ctx.idempotencyKey ?? null,
    ifLastMessage:
      given.ifLastMessage == null ? null : (decodeGlobalId('TicketMessage', given.ifLastMessage) ?? 0),
    expectPreviewHash: given.expectPreviewHash ?? null,
  };
  const problems = [
    ...attachmentProblems(attachments, limits.attachments),
    ...(language === undefined ? [{ path: ['language'], message: 'Not a BCP 47 language tag' }] : []),
    ...(email?.problems ?? []),
    ...keyProblems(given.idempotencyKey ?? undefined, ctx.idempotencyKey),
    ...conditionProblems(message),
  ];
  return { ...read, message, problems: [...read.problems, ...problems.slice(0, maxProblems)] };
}

function* conditionProblems(message: NewMessage): Iterable<Problem> {
  const { expectPreviewHash, email, ifLastMessage } = message;
  if (expectPreviewHash !== null && (email === null || !/^[0-9a-f]{64}$/.test(expectPreviewHash)))
    yield { path: ['expectPreviewHash'], message: 'Not the hash of a preview of an e-mail' };
  if (ifLastMessage === 0) yield { path: ['ifLastMessage'], message: 'Not the id of a message' };
}

/**
 * Whether a text may be an idempotency key: 1 to 255 visible ASCII characters. Spaces are allowed, except as
 * the first or last character.
 */
export const isIdempotencyKey = (text: string): boolean =>
  /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(text);

function* keyProblems(field: string | undefined, header: string | undefined): Iterable<Problem> {
  const path = ['idempotencyKey'];
  for (const key of new Set([field, header])) {
    if (key === undefined || isIdempotencyKey(key)) continue;
    // A header whose quotation marks are wrong is empty here.
    const message =
      key === '' && header === ''
        ? 'The header Idempotency-Key is empty or malformed: write key or "key"'
        : 'An idempotency key has 1 to 255 visible ASCII characters';
    yield { path, message };
  }
  if (field !== undefined && header !== undefined && field !== header)
    yield { path, message: 'The Idempotency-Key header and the field idempotencyKey differ' };
}

/** RFC 2045 and 2392: the part after `cid:`, without angle brackets. */
const contentIdPattern = /^[!-;=?-~]{1,200}$/;

/** Problems of a message's attachments that can be found without reading the files. */
function* attachmentProblems(attachments: readonly AttachmentInput[], limit: number): Iterable<Problem> {
  if (attachments.length > limit) {
    yield {
      path: ['attachments'],
      message: `There are ${attachments.length} attachments; ${limit} are allowed`,
    };
  }
  const seen = new Set<string>();
  for (const [index, { inline }] of attachments.slice(0, limit).entries()) {
    if (inline == null) continue;
    const path = ['attachments', index, 'inline'];
    if ((inline.file == null) === (inline.upload == null))
      yield { path, message: 'Give exactly one of file and upload' };
    if (!contentIdPattern.test(inline.contentId))
      yield {
        path: [...path, 'contentId'],
        message: 'A Content-ID has 1 to 200 visible ASCII characters and no angle brackets',
      };
    else if (seen.has(inline.contentId))
      yield { path: [...path, 'contentId'], message: 'Two attachments have this Content-ID' };
    seen.add(inline.contentId);
  }
}
