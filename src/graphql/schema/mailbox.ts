import { listMailboxes, type Mailbox } from '../../tickets/read/people-and-mailboxes.ts';
import { builder } from './builder.ts';

const MailboxRef = builder.objectRef<Mailbox>('Mailbox');

builder.node(MailboxRef, {
  description: 'An account from which the desk sends mail. Visible to operators who may send from it.',
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    address: t.exposeString('address', { description: 'E-mail address, for `EmailReplyInput.from`.' }),
    displayName: t.exposeString('displayName', {
      description: 'Display name of the sender.',
    }),
    maxMailBytes: t.exposeInt('maxMailBytes', {
      description: 'Maximum size of a mail in bytes, as encoded.',
    }),
    isReady: t.exposeBoolean('isReady', {
      description:
        'Whether it is enabled and has an SMTP server. Otherwise sending is refused with ' +
        'MAILBOX_NOT_READY.',
    }),
  }),
});

builder.queryField('mailboxes', (t) =>
  t.field({
    type: [MailboxRef],
    nullable: true,
    description: 'The mailboxes that the viewer may send from. Requesters have none. Needs the scope READ.',
    resolve: (_root, _args, ctx) => listMailboxes(ctx),
  }),
);
