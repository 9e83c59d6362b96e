import { listMailboxes, type Mailbox } from '../tickets/people.ts';
import { builder } from './builder.ts';

const MailboxRef = builder.objectRef<Mailbox>('Mailbox').implement({
  description: 'An account that the desk sends from.',
  fields: (t) => ({
    address: t.exposeString('address'),
    displayName: t.exposeString('displayName'),
    maxMailBytes: t.exposeInt('maxMailBytes', { description: 'Largest mail as encoded.' }),
    isReady: t.exposeBoolean('isReady', { description: 'Enabled, and with a server to send by.' }),
  }),
});

builder.queryField('mailboxes', (t) =>
  t.field({
    type: [MailboxRef],
    description: 'The mailboxes that the viewer may send from; requesters have none.',
    resolve: (_root, _args, ctx) => listMailboxes(ctx),
  }),
);
