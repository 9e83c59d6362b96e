import { IncomingFile, type Receive } from '../platform/incoming-file.ts';
import type { NewAttachment, NewMessagePost } from './dotnet/new-message-post.ts';
import type { MessageInput } from './load-operations.ts';

/** The variables of a call, and a function that maps their paths to the client's members. */
export interface Translation {
  readonly variables: { readonly input: MessageInput };
  /**
   * The client's member for a path of a problem: `['email', 'cc', '1']` → `SendViaOutboundEmailCc[2]`,
   * counting the items that were skipped. Empty for the input as a whole.
   */
  readonly memberOf: (path: readonly string[]) => string;
}

/**
 * Selects a post's ticket: by its id, or else by its reference. An id of 0 or below is used only when there
 * is no reference. A reference of white space alone counts as missing. In any other, trailing blanks are
 * ignored, as in SQL Server's comparison; leading blanks and tabs are part of it.
 * @returns `ticket`, and `both` when the post has a positive id and a reference, which must identify one
 *   ticket; undefined when it has neither an id nor a reference
 */
export function ticketOf({
  TicketId,
  TicketREF,
}: NewMessagePost):
  | { ticket: MessageInput['ticket']; both?: { ticketId: number; reference: string } }
  | undefined {
  const reference = given(TicketREF)?.replace(/(?<! ) +$/, '');
  if (TicketId !== null && TicketId > 0) {
    const ticket = { ticketId: TicketId };
    return reference === undefined ? { ticket } : { ticket, both: { ticketId: TicketId, reference } };
  }
  if (reference !== undefined) return { ticket: { reference } };
  return TicketId === null ? undefined : { ticket: { ticketId: TicketId } };
}

/**
 * Translates a post into the schema's input, whose rules are checked later. A missing body or From becomes an
 * empty text. Without SendViaOutboundEmail there is no `email`, whatever From, Cc and Bcc are. Left out are
 * blank items of Cc and Bcc, and attachments with neither a name nor data. An attachment without a name
 * becomes `attachment-N`, N being its position from 1; one without a type becomes `application/octet-stream`.
 * @param ticket the `ticket` of `ticketOf`
 * @param receive stores a file. It is called for an attachment that has a name and no data; data is stored
 *   already
 */
export function translate(
  post: NewMessagePost,
  ticket: MessageInput['ticket'],
  receive: Receive,
): Translation {
  const attachments = kept(post.Attachments, isFile);
  const cc = kept(post.SendViaOutboundEmailCc, isGiven);
  const bcc = kept(post.SendViaOutboundEmailBcc, isGiven);
  const email = post.SendViaOutboundEmail && {
    email: {
      from: post.SendViaOutboundEmailFrom ?? '',
      cc: cc.items as string[],
      bcc: bcc.items as string[],
    },
  };
  return {
    variables: {
      input: {
        ticket,
        body: post.Message ?? '',
        format: post.Html ? 'HTML' : 'TEXT',
        visibility: post.IsPrivate ? 'PRIVATE' : 'PUBLIC',
        isMobileDevice: post.IsMobileDevice,
        attachments: attachments.items.map((attachment, i) => ({
          file: incomingFile(attachment as NewAttachment, (attachments.indices?.[i] ?? i) + 1, receive),
        })),
        ...email,
      },
    },
    memberOf: (path) => memberOf(path, { attachments, cc, bcc }),
  };
}

const isGiven = (address: string | null): boolean => given(address) !== undefined;

/** Ignores an item without name and data: clients send their empty form as one. */
function isFile(attachment: NewAttachment | null): boolean {
  return (
    attachment !== null && (given(attachment.FileName) !== undefined || (attachment.Data?.size ?? 0) > 0)
  );
}

interface Kept<T> {
  readonly items: readonly T[];
  /** Their indices in the client's list; undefined when every item was kept. */
  readonly indices: readonly number[] | undefined;
}

function kept<T>(given: readonly T[] | null, keep: (item: T) => boolean): Kept<T> {
  const list = given ?? [];
  if (list.every(keep)) return { items: list, indices: undefined };
  const indices = [...list.keys()].filter((i) => keep(list[i]!));
  return { items: indices.map((i) => list[i]!), indices };
}

/** @param number position of the attachment, from 1: a file without a name is called by it */
function incomingFile(
  { FileName, ContentType, Data }: NewAttachment,
  number: number,
  receive: Receive,
): IncomingFile {
  const name = given(FileName) ?? `attachment-${number}`;
  const type = given(ContentType) ?? 'application/octet-stream';
  return new IncomingFile(name, type, Data ? Data.received : receive(noBytes(), 'Attachments'));
}

async function* noBytes(): AsyncGenerator<Buffer> {}

const membersOfFile: ReadonlyMap<string, string> = new Map(
  Object.entries({ fileName: '.FileName', contentType: '.ContentType' }),
);

function memberOf(
  path: readonly string[],
  lists: Record<'attachments' | 'cc' | 'bcc', Kept<unknown>>,
): string {
  const [first, second, third] = path[0] === 'email' ? path.slice(1) : path;
  const indexed = (member: string, list: Kept<unknown>, index: string | undefined) =>
    index === undefined ? member : `${member}[${list.indices?.[Number(index)] ?? index}]`;
  switch (first) {
    case 'ticket':
      return second === 'ticketId' ? 'TicketId' : 'TicketREF';
    case 'body':
      return 'Message';
    case 'format':
      return 'Html';
    case 'visibility':
      return 'IsPrivate';
    case 'isMobileDevice':
      return 'IsMobileDevice';
    case 'idempotencyKey':
      return 'Idempotency-Key';
    case 'attachments': {
      const member = indexed('Attachments', lists.attachments, second);
      return third === undefined ? member : `${member}${membersOfFile.get(third) ?? ''}`;
    }
    case 'from':
      return 'SendViaOutboundEmailFrom';
    case 'cc':
      return indexed('SendViaOutboundEmailCc', lists.cc, second);
    case 'bcc':
      return indexed('SendViaOutboundEmailBcc', lists.bcc, second);
    case undefined:
      return path[0] === 'email' ? 'SendViaOutboundEmail' : '';
    default:
      return path.join('.');
  }
}

/** The text, or undefined when it is blank. */
function given(text: string | null): string | undefined {
  return text === null || text.trim() === '' ? undefined : text;
}
