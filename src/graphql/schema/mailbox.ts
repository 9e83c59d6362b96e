import { listMailboxes, type Mailbox } from '../../tickets/read/people.ts';
import { builder } from './builder.ts';

const MailboxRef = builder.objectRef<Mailbox>('Mailbox');

builder.node(MailboxRef, {
  description: 'An account that the desk sends from. Seen by the operators who may send from it.',
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    address: t.exposeString('address', { description: 'E-mail address, for `EmailReplyInput.from`.' }),
    displayName: t.exposeString('displayName', {
      description: 'Name that recipients see beside the address.',
    }),
    maxMailBytes: t.exposeInt('maxMailBytes', {
      description: 'Bytes of the largest mail that it can send, as encoded.',
    }),
    isReady: t.exposeBoolean('isReady', {
      description:
        'Enabled, and with a server to send by. Otherwise sending is refused with MAILBOX_NOT_READY.',
    }),
  }),
});

builder.queryField('mailboxes', (t) =>
  t.field({
    type: [MailboxRef],
    nullable: true,
    description: 'The mailboxes that the viewer may send from; requesters have none. Needs the scope READ.',
    resolve: (_root, _args, ctx) => listMailboxes(ctx),
  }),
);
