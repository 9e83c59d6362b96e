import type { InboxEntry, InboxMail, InboxPage } from '../store.ts';

/*
 * The inbox as JSON, for tests and tools: GET with `Accept: application/json`. Sizes are in bytes, times in
 * RFC 3339. Reading a mail as JSON leaves it unread.
 */

/**
 * A page of the list as a value for JSON. Its entries have a snippet instead of the whole text; `next` is the
 * path of the following page, or null. `byteSize` is in bytes, `receivedAt` a Date.
 * @param search the text that was searched for; empty if none
 */
export const pageJson = ({ mails, hasMore, unread }: InboxPage, search: string) => ({
  mails: mails.map((mail) => ({ ...entryJson(mail), snippet: mail.snippet })),
  unread,
  next: hasMore ? olderThan(mails.at(-1)!.id, search) : null,
});

/** The path of the page of the list that follows a mail, with older ones. */
export const olderThan = (id: number, search: string): string =>
  `/inbox/?before=${id}${search === '' ? '' : `&q=${encodeURIComponent(search)}`}`;

const entryJson = ({
  id,
  receivedAt,
  byteSize,
  isUnread,
  from,
  to,
  cc,
  subject,
  attachments,
}: Omit<InboxEntry, 'snippet'>) => ({
  id,
  url: `/inbox/${id}`,
  receivedAt,
  byteSize,
  isUnread,
  from,
  to,
  cc,
  subject,
  attachments,
});

/**
 * A whole mail as a value for JSON. Its source and the contents of its files are named by their paths.
 */
export const mailJson = (mail: InboxMail) => ({
  ...entryJson(mail),
  messageId: mail.messageId,
  envelope: mail.envelope,
  recipients: mail.recipients,
  text: mail.text ?? null,
  html: mail.html ?? null,
  headers: mail.headers,
  files: mail.files.map(({ fileName, contentType, content, inline }, index) => ({
    fileName,
    contentType,
    byteSize: content.byteLength,
    inline,
    url: `/inbox/${mail.id}/files/${index}`,
  })),
  source: `/inbox/${mail.id}/source`,
});
