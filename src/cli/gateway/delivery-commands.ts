import { decodeGlobalId, encodeGlobalId } from '../../platform/global-id.ts';
import { deliveryStates } from '../../platform/vocabulary.ts';
import { CommandError, type LooseCommand, one, UsageError, wholeNumber } from '../command.ts';
import { done, rows } from '../output.ts';
import { connectGateway, type GatewayClient, gatewayOptions } from './client.ts';
import { parseTicket } from './parse-ticket.ts';

interface ListedDelivery {
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

/**
 * The number in a delivery's global id, as `delivery list` shows it, because it is easier to type. 0 for a
 * text that is not such an id.
 */
export const deliveryNumberOf = (id: string): number => decodeGlobalId('Delivery', id) ?? 0;
function idOf(typed: string): string {
  if (/^\d{1,10}$/.test(typed)) return encodeGlobalId('Delivery', Number(typed));
  if (decodeGlobalId('Delivery', typed) === undefined)
    throw new UsageError(`${typed} is not a delivery: \`ticketwire delivery list\` shows their numbers`);
  return typed;
}

const page = /* GraphQL */ `query Deliveries($filter: DeliveryFilter, $last: Int!, $before: String) {
  deliveries(filter: $filter, last: $last, before: $before) {
    nodes { ${shown} }
    pageInfo { hasPreviousPage startCursor }
  }
}`;
interface DeliveryPage {
  readonly nodes: ListedDelivery[];
  readonly pageInfo: { hasPreviousPage: boolean; startCursor: string | null };
}
/** The largest page that the gateway returns. */
const pageSize = 100;

/** The newest first. The gateway's list has them last. */
async function readPages(gateway: GatewayClient, filter: object, limit: number): Promise<ListedDelivery[]> {
  const found: ListedDelivery[] = [];
  let before: string | null = null;
  while (found.length < limit) {
    const last = Math.min(pageSize, limit - found.length);
    const { nodes, pageInfo }: DeliveryPage = await gateway.execute<DeliveryPage>(page, {
      filter,
      last,
      before,
    });
    found.push(...nodes.toReversed());
    if (!pageInfo.hasPreviousPage) break;
    before = pageInfo.startCursor;
  }
  return found;
}

const findTicket = /* GraphQL */ 'query Ticket($by: TicketSelector!) { ticket(by: $by) { id } }';

const list: LooseCommand = {
  name: 'delivery list',
  arguments: [],
  summary: 'List mails, newest first',
  options: {
    state: { type: 'string', value: 'STATE', help: 'only this state: FAILED, OUTCOME_UNKNOWN …' },
    failed: { type: 'boolean', help: 'only mails that did not reach every recipient' },
    ticket: { type: 'string', value: 'TICKET', help: 'only mails of this ticket' },
    limit: { type: 'string', value: 'N', help: 'maximum number of mails (default 50)' },
    ...gatewayOptions,
  },
  example: 'delivery list --state FAILED',
  async runLoose(ctx, _args, values) {
    const state = one(values, 'state')?.toUpperCase();
    const limit = wholeNumber(one(values, 'limit') ?? '50', '--limit');
    if (state !== undefined && !deliveryStates.some((known) => known === state))
      throw new UsageError(`--state must be one of ${deliveryStates.join(', ')}, not ${state}`);
    const gateway = connectGateway(ctx, values);
    const named = one(values, 'ticket');
    const by = named === undefined ? undefined : parseTicket(named);
    const ticket = by && (await gateway.execute<{ id: string }>(findTicket, { by })).id;
    const filter = {
      ...(state && { state }),
      ...(ticket && { ticket }),
      ...(values.failed === true && { hasFailedRecipient: true }),
    };
    const found = await readPages(gateway, filter, limit);
    const table = found.map((delivery) => ({
      ...delivery,
      number: deliveryNumberOf(delivery.id),
      why: delivery.failure ?? '',
    }));
    const columns = ['number', 'state', 'from', 'to', 'subject', 'dueAt', 'why', 'suggestedAction'];
    return { ...rows(table, columns), json: found };
  },
};

interface Change {
  readonly name: 'retry' | 'cancel' | 'resolve';
  readonly summary: string;
  readonly details?: string;
  readonly options?: LooseCommand['options'];
  readonly example: string;
  /** Input fields besides the delivery. */
  readonly more?: (values: Parameters<LooseCommand['runLoose']>[2]) => object;
}

const change = ({ name, options = {}, more = () => ({}), ...described }: Change): LooseCommand => ({
  ...described,
  name: `delivery ${name}`,
  arguments: ['DELIVERY'],
  options: { ...options, ...gatewayOptions },
  async runLoose(ctx, [typed], values) {
    const input = { delivery: idOf(typed!), ...more(values) };
    const type = name === 'resolve' ? 'ResolveDeliveryInput' : 'DeliveryInput';
    const query = `mutation Change($input: ${type}!) { ${name}Delivery(input: $input) {
      ... on DeliveryPayload { delivery { ${shown} } } ${refused} } }`;
    // Not retried: a second call is refused, and does not show whether the first one succeeded.
    const { delivery } = await connectGateway(ctx, values).execute<{ delivery: ListedDelivery | null }>(
      query,
      { input },
      { repeatable: false },
    );
    if (delivery === null)
      throw new CommandError('Done, but without the scope read the delivery cannot be shown.');
    return {
      ...done(`Delivery ${deliveryNumberOf(delivery.id)} is ${delivery.state}.`, { id: delivery.id }),
      json: delivery,
    };
  },
});

/**
 * The commands `delivery list` (newest first, 50 by default), `retry`, `cancel` and `resolve`. They call a
 * running gateway, with the token's rights. The three changes are not repeated after a lost response.
 */
export const deliveryCommands: readonly LooseCommand[] = [
  list,
  change({
    name: 'retry',
    summary: 'Send a mail again to the recipients that it did not reach',
    details: 'Requires a grant for its mailbox. DELIVERY is a number from `delivery list`.',
    example: 'delivery retry 47',
  }),
  change({
    name: 'cancel',
    summary: 'Cancel a queued mail',
    details: 'The message is not removed. DELIVERY is a number from `delivery list`.',
    example: 'delivery cancel 47',
  }),
  change({
    name: 'resolve',
    summary: 'Resolve a mail whose outcome is unknown',
    details: 'DELIVERY is a number from `delivery list`.',
    options: {
      as: { type: 'string', value: 'SENT|RESEND', required: true, help: 'it arrived, or send it again' },
    },
    example: 'delivery resolve 47 --as SENT',
    more: (values) => {
      const as = one(values, 'as')!.toUpperCase();
      if (as !== 'SENT' && as !== 'ASSUME_SENT' && as !== 'RESEND')
        throw new UsageError(`--as must be SENT or RESEND, not ${as}`);
      return { as: as === 'RESEND' ? as : 'ASSUME_SENT' };
    },
  }),
];
