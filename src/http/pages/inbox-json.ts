import type { InboxEntry, InboxMail, InboxPage } from '../../mail/inbox-store.ts';

/*
 * The same for programs, such as an integrator's tests: GET with `Accept: application/json`. Sizes are bytes, instants RFC 3339.
 * Of the envelope, and so of blind copies, nothing is told here either.
 */

export const pageJson = ({ mails, hasMore }: InboxPage) => ({
  mails: mails.map(entryJson),
  next: hasMore ? `/inbox/?before=${mails.at(-1)!.id}` : null,
});

const entryJson = ({ id, receivedAt, byteSize, from, to, cc, subject, attachments }: InboxEntry) => ({
  id,
  url: `/inbox/${id}`,
  receivedAt,
  byteSize,
  from,
  to,
  cc,
  subject,
  attachments,
});

export const mailJson = (mail: InboxMail) => ({
  ...entryJson(mail),
  messageId: mail.messageId,
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
