import type { Problem } from '../../platform/errors.ts';
import type { IncomingFile } from '../../platform/incoming-file.ts';

/** A file of this request, or the id of an earlier upload: exactly one of the two. */
export interface FileInput {
  readonly file?: PromiseLike<IncomingFile> | IncomingFile | null | undefined;
  readonly upload?: string | null | undefined;
}

/**
 * An attachment: a file, an upload, or `inline`, which is either of them with the Content-ID that the HTML
 * refers to.
 */
export interface AttachmentInput extends FileInput {
  readonly inline?: InlineAttachmentInput | null | undefined;
  /** Set when the picture was pasted into the body, as a data URL. */
  readonly pasted?: true;
}
/** A picture that the message's HTML shows. */
export interface InlineAttachmentInput extends FileInput {
  /** The part after `cid:` in the message's HTML. */
  readonly contentId: string;
}

/** The file or upload of an attachment, and the path to it within the attachment. */
export const fileInputOf = ({ inline, ...own }: AttachmentInput): FileInput & { readonly path: string[] } =>
  inline == null ? { ...own, path: [] } : { file: inline.file, upload: inline.upload, path: ['inline'] };

/**
 * Problems of a message's attachments that can be found without reading the files. @param limit most
 * attachments
 */
export function* attachmentProblems(
  attachments: readonly AttachmentInput[],
  limit: number,
): Iterable<Problem> {
  if (attachments.length > limit) {
    yield {
      path: ['attachments'],
      message: `There are ${attachments.length} attachments; ${limit} are allowed`,
    };
  }
  yield* inlineProblems(attachments.slice(0, limit));
}

/** RFC 2045 and 2392: the part after `cid:`, without angle brackets. */
const contentIdPattern = /^[!-;=?-~]{1,200}$/;

function* inlineProblems(attachments: readonly AttachmentInput[]): Iterable<Problem> {
  const seen = new Set<string>();
  for (const [index, { inline }] of attachments.entries()) {
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
