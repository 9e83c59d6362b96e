import { decodeGlobalId, encodeGlobalId } from '../../platform/global-id.ts';
import { deliveryStates } from '../../platform/vocabulary.ts';
import { CommandError, type LooseCommand, one, UsageError, wholeNumber } from '../command.ts';
import { done, rows } from '../output.ts';
import { selectorOf } from '../selector.ts';
import { type Door, doorOptions, openDoor } from './endpoint.ts';

interface Delivery {
  readonly id: string;
  readonly state: string;
  readonly from: string;
  readonly to: string[];
  readonly subject: string;
  readonly dueAt: string;
  readonly failure: string | null;
  readonly suggestedAction: string | null;
}
const shown = 'id state from to subject dueAt failure suggestedAction';
const refused = '... on UserError { code message }';

/** Its number, which people can type. */
const numberOf = (id: string): number => decodeGlobalId('Delivery', id) ?? 0;
function idOf(typed: string): string {
  if (/^\d{1,10}$/.test(typed)) return encodeGlobalId('Delivery', Number(typed));
  if (decodeGlobalId('Delivery', typed) === undefined)
    throw new UsageError(`${typed} is no delivery: \`ticketwire delivery list\` tells their numbers`);
  return typed;
}

const page = /* GraphQL */ `query Deliveries($filter: DeliveryFilter, $first: Int!, $after: String) {
  deliveries(filter: $filter, first: $first, after: $after) {
    nodes { ${shown} }
    pageInfo { hasNextPage endCursor }
  }
}`;
interface Page {
  readonly nodes: Delivery[];
  readonly pageInfo: { hasNextPage: boolean; endCursor: string | null };
}
/** As many as one page of the gateway's has. */
const pageSize = 100;

async function readPages(door: Door, filter: object, limit: number): Promise<Delivery[]> {
  const found: Delivery[] = [];
  let after: string | null = null;
  while (found.length < limit) {
    const first = Math.min(pageSize, limit - found.length);
    const { nodes, pageInfo }: Page = await door.ask<Page>(page, { filter, first, after });
    found.push(...nodes);
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  return found;
}

const findTicket = /* GraphQL */ 'query Ticket($by: TicketSelector!) { ticket(by: $by) { id } }';

const list: LooseCommand = {
  name: 'delivery list',
  arguments: [],
  summary: 'List mails, the newest first',
  options: {
    state: { type: 'string', value: 'STATE', help: 'only those: FAILED, OUTCOME_UNKNOWN …' },
    failed: { type: 'boolean', help: 'only those that did not reach somebody' },
    ticket: { type: 'string', value: 'TICKET', help: 'only of this one' },
    limit: { type: 'string', value: 'N', help: 'at most so many; 50 if absent' },
    ...doorOptions,
  },
  example: 'delivery list --state FAILED',
  async runLoose(ctx, _args, values) {
    const state = one(values, 'state')?.toUpperCase();
    const limit = wholeNumber(one(values, 'limit') ?? '50', '--limit');
    if (state !== undefined && !deliveryStates.some((known) => known === state))
      throw new UsageError(`--state ${state}: there are ${deliveryStates.join(', ')}`);
    const door = openDoor(ctx, values);
    const named = one(values, 'ticket');
    const by = named === undefined ? undefined : selectorOf(named);
    const ticket = by && (await door.ask<{ id: string }>(findTicket, { by })).id;
    const filter = {
      ...(state && { state }),
      ...(ticket && { ticket }),
      ...(values.failed === true && { hasFailedRecipient: true }),
    };
    const found = await readPages(door, filter, limit);
    const table = found.map((delivery) => ({
      ...delivery,
      number: numberOf(delivery.id),
      why: delivery.failure ?? '',
    }));
    const columns = ['number', 'state', 'from', 'to', 'subject', 'dueAt', 'why', 'suggestedAction'];
    return { json: found, text: rows(table, columns).text };
  },
};

interface Deed {
  readonly name: 'retry' | 'cancel' | 'resolve';
  readonly summary: string;
  readonly details?: string;
  readonly options?: LooseCommand['options'];
  readonly example: string;
  /** What goes into the input beside the delivery. */
  readonly more?: (values: Parameters<LooseCommand['runLoose']>[2]) => object;
}

const change = ({ name, options = {}, more = () => ({}), ...described }: Deed): LooseCommand => ({
  ...described,
  name: `delivery ${name}`,
  arguments: ['DELIVERY'],
  options: { ...options, ...doorOptions },
  async runLoose(ctx, [typed], values) {
    const input = { delivery: idOf(typed!), ...more(values) };
    const type = name === 'resolve' ? 'ResolveDeliveryInput' : 'DeliveryInput';
    const query = `mutation Change($input: ${type}!) { ${name}Delivery(input: $input) {
      ... on DeliveryPayload { delivery { ${shown} } } ${refused} } }`;
    // Its state says whether it was done: a second call would be refused, and say nothing of the first.
    const { delivery } = await openDoor(ctx, values).ask<{ delivery: Delivery | null }>(
      query,
      { input },
      { repeatable: false },
    );
    if (delivery === null) throw new CommandError('It is done; without the scope read, it is not shown.');
    return {
      ...done(`Delivery ${numberOf(delivery.id)} is ${delivery.state}.`, { id: delivery.id }),
      json: delivery,
    };
  },
});

export const deliveryCommands: readonly LooseCommand[] = [
  list,
  change({
    name: 'retry',
    summary: 'Send a mail again to those whom it did not reach',
    details:
      'For operators who may send from its mailbox. DELIVERY is the number that `delivery list` tells.',
    example: 'delivery retry 47',
  }),
  change({
    name: 'cancel',
    summary: 'Call off a mail that waits',
    details: 'Its message stays.',
    example: 'delivery cancel 47',
  }),
  change({
    name: 'resolve',
    summary: 'Say what became of a mail whose outcome is unknown',
    options: {
      as: { type: 'string', value: 'SENT|RESEND', required: true, help: 'it arrived, or is sent once more' },
    },
    example: 'delivery resolve 47 --as SENT',
    more: (values) => {
      const as = one(values, 'as')!.toUpperCase();
      if (as !== 'SENT' && as !== 'ASSUME_SENT' && as !== 'RESEND')
        throw new UsageError(`--as ${as}: there are SENT and RESEND`);
      return { as: as === 'RESEND' ? as : 'ASSUME_SENT' };
    },
  }),
];
