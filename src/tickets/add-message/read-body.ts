import type { Limits } from '../../config.ts';
import { hasVisibleText } from '../../content/dom/has-visible-text.ts';
import { UnreadableBody } from '../../content/dom/tree.ts';
import type { BodyChange } from '../../content/html/body-changes.ts';
import type { PastedPicture } from '../../content/pasted-pictures.ts';
import { checkHtml, withoutPasted } from '../../content/read-message-body.ts';
import type { Problem } from '../../platform/errors.ts';
import type { MessageFormat } from '../../platform/vocabulary.ts';

/** A checked body. With problems, the body is as given, and there are no pictures and no changes. */
export interface NewBody {
  /** The body, in which pasted pictures are replaced by references to their Content-IDs. */
  readonly body: string;
  /** The pictures that the body contained as data URLs. Empty for plain text. */
  readonly pasted: readonly PastedPicture[];
  /** Parts of the body that will not be shown as written. Empty for plain text. */
  readonly changes: readonly BodyChange[];
  /** Problems of the body, each with the path `['body']`. */
  readonly problems: readonly Problem[];
}

/**
 * Checks the body of a new message and, if it is HTML, replaces its pasted pictures. Problems are returned,
 * not thrown: characters that cannot be stored, more bytes of UTF-8 without the pictures than
 * `limits.bodyBytes`, nothing to read, pasted pictures with which there are more files than
 * `limits.attachments`, and HTML that takes too much work to read.
 * @param given.attachments number of files of the message, without pasted pictures. The caller has checked
 *   that these alone are not too many
 * @throws Unavailable when too many large bodies wait to be read
 */
export async function readNewBody(
  limits: Limits,
  given: { readonly body: string; readonly format: MessageFormat; readonly attachments: number },
): Promise<NewBody> {
  const as = (problems: readonly string[]): NewBody => ({
    ...{ body: given.body, pasted: [], changes: [] },
    problems: problems.map((message) => ({ path: ['body'], message })),
  });
  const wrong = charactersThatCannotBe(given.body);
  if (wrong.length > 0) return as(wrong);
  const isHtml = given.format === 'HTML';
  try {
    const { body, pictures } = isHtml ? await withoutPasted(given.body) : { body: given.body, pictures: [] };
    const bytes = Buffer.byteLength(body);
    if (bytes > limits.bodyBytes)
      return as([`The message has ${bytes} bytes of UTF-8; ${limits.bodyBytes} are allowed`]);
    // Plain text is shown as written.
    const { blank, needsFiles, changes } = isHtml
      ? await checkHtml(body)
      : { blank: !hasVisibleText(body), needsFiles: false, changes: [] };
    const files = given.attachments + pictures.length;
    if (blank || (needsFiles && files === 0)) return as(['The message has no text']);
    if (pictures.length > 0 && files > limits.attachments)
      return as([`There are ${files} attachments and pasted pictures; ${limits.attachments} are allowed`]);
    return { body, pasted: pictures, changes, problems: [] };
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error;
    return as([error.message]);
  }
}

function charactersThatCannotBe(body: string): string[] {
  return [
    ...(body.includes('\0') ? ['The message contains the character U+0000, which cannot be stored'] : []),
    ...(body.isWellFormed() ? [] : ['The message contains a lone surrogate, which is not a character']),
  ];
}
