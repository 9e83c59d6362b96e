import { type MailParts, mailedOf } from '../../../src/mail/compose/mail-parts.ts';
import type { Authored } from '../../../src/tickets/add-message/columns.ts';

/** A public text message with nothing else set. A new field of messages is added here, for all tests. */
export const plainMessage = (body: string): Authored => ({
  body,
  format: 'TEXT',
  visibility: 'PUBLIC',
  isMobileDevice: false,
  language: null,
});

/** The parts of a reply to Jane, with these changes. */
export const mailPartsOf = (changes: Partial<MailParts> = {}): MailParts => ({
  ...mailedOf(plainMessage('Hello')),
  messageId: '<8f14e45fceea167a@domain.com>',
  date: new Date('2026-11-22T12:34:56Z'),
  from: { name: 'Company', address: 'company@domain.com' },
  to: [{ name: 'Jane Doe', address: 'jane.doe@domain.com' }],
  cc: [],
  bcc: [],
  subject: 'Re: Printer on fire [INC-000047]',
  signature: '',
  quoted: [],
  omitted: 0,
  thread: [],
  autoSubmitted: false,
  attachments: [],
  ...changes,
});
