import { decodeGlobalId } from '../../../platform/global-id.ts';
import { countTickets } from '../../../tickets/read/ticket-list.ts';
import type { TicketOrder } from '../../../tickets/read/ticket-list-statement.ts';
import { listPartsOf } from '../../context/selection.ts';
import { builder } from '../builder.ts';
import { TicketStatusEnum } from '../enums.ts';
import { TicketRef } from '../object-refs.ts';
import { connectionOf, costOfCounting, pageComplexity, totalCount, totalCountIsExact } from './page.ts';

const TicketOrderEnum = builder.enumType('TicketOrder', {
  description: 'The order of a list of tickets.',
  values: {
    LAST_MESSAGE: {
      description:
        'The ticket with the latest message that the viewer may see comes first. For a ticket without ' +
        'such a message, the time of its opening counts.',
    },
    CREATED: { description: 'The newest ticket comes first.' },
  } satisfies Record<TicketOrder, object>,
});

const TicketFilterInput = builder.inputType('TicketFilter', {
  description: 'Selects tickets that meet all conditions. Example: `{ status: OPEN, text: "printer" }`.',
  fields: (t) => ({
    status: t.field({ type: TicketStatusEnum, description: 'Only tickets in this status: `OPEN`.' }),
    requester: t.id({ description: 'Id of a `Person`: only their tickets. Example: `"UGVyc29uOjM="`.' }),
    reference: t.string({
      description: 'The whole reference, also with a `#` before it: `"INC-000047"`. Not case-sensitive.',
    }),
    text: t.string({
      description:
        "Words of the subject, or the beginning of the reference or, for operators, of the requester's " +
        'address: ' +
        '`"printer floor"`, `"INC-0000"`, `"jane@"`. The same rules as in `search`. Of more than 1,000 ' +
        'matching tickets, the 1,000 newest are listed. For a requester, the 2,000 newest of their own ' +
        'tickets in each status are searched.',
    }),
    updatedAfter: t.field({
      type: 'DateTime',
      description:
        'Only tickets with a later message that the viewer may see, or that were opened later: ' +
        '`"2026-11-28T09:00:00Z"`.',
    }),
    hasUnsettledDelivery: t.boolean({
      description:
        '`true`: a mail of the ticket is queued, held, deferred or being sent. `false`: none is. For ' +
        'operators.',
    }),
  }),
});

const TicketConnection = builder.connectionObject(
  {
    type: TicketRef,
    name: 'TicketConnection',
    description: 'One page of tickets.',
    fields: (t) => ({
      totalCount: t.int(totalCount(costOfCounting)),
      totalCountIsExact: t.boolean(totalCountIsExact(costOfCounting)),
    }),
  },
  { name: 'TicketEdge', description: 'A ticket and its place in the list.' },
);

builder.queryField('tickets', (t) =>
  t.connection(
    {
      type: TicketRef,
      nullable: true,
      description:
        'The tickets that the viewer may see. A cursor belongs to its filter and order. Needs the scope ' +
        'READ. Example: `tickets(filter: { status: OPEN }, orderBy: LAST_MESSAGE, first: 50)`.',
      args: {
        filter: t.arg({ type: TicketFilterInput, description: 'Conditions; all when absent.' }),
        orderBy: t.arg({
          type: TicketOrderEnum,
          defaultValue: 'CREATED',
          description: 'The order. Null means the default.',
        }),
      },
      complexity: pageComplexity,
      resolve: async (_root, { filter, orderBy, ...paging }, ctx, info) => {
        const { requester, ...conditions } = filter ?? {};
        // A person who is not there finds nothing, like one without tickets. 0: no person's id.
        const requesterId = requester == null ? null : (decodeGlobalId('Person', requester) ?? 0);
        const input = { filter: { ...conditions, requesterId }, orderBy: orderBy ?? 'CREATED' };
        const page = await ctx.load.tickets(input, paging, listPartsOf(info));
        return connectionOf(page, () => countTickets(ctx, input));
      },
    },
    TicketConnection,
  ),
);
