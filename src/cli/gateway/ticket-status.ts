import type { TicketStatus } from '../../platform/vocabulary.ts';
import type { LooseCommand } from '../command.ts';
import { done } from '../output.ts';
import { connectGateway, gatewayOptions } from './client.ts';
import { parseTicket } from './parse-ticket.ts';

const mutation = /* GraphQL */ `mutation SetStatus($input: SetTicketStatusInput!) {
  setTicketStatus(input: $input) {
    ... on SetTicketStatusPayload { changed ticket { id ticketId reference status } }
    ... on UserError { code message }
  }
}`;
interface ChangedStatus {
  readonly changed: boolean;
  readonly ticket: { id: string; ticketId: number; reference: string; status: TicketStatus } | null;
}

const set = (name: string, status: TicketStatus, summary: string, word: string): LooseCommand => ({
  name: `ticket ${name}`,
  arguments: ['TICKET'],
  summary,
  details: 'TICKET is a reference or an id. Subscribers to the ticket receive an event.',
  options: gatewayOptions,
  example: `ticket ${name} INC-000047`,
  async runLoose(ctx, [ticket], values) {
    const gateway = connectGateway(ctx, values);
    const input = { ticket: parseTicket(ticket!), status };
    const { changed, ticket: now } = await gateway.execute<ChangedStatus>(mutation, { input });
    const reference = now?.reference ?? ticket!;
    const text = `${reference} ${changed ? 'is' : 'was'} ${word}${changed ? '' : ' already'}.`;
    return done(text, { changed, reference, status });
  },
});

/**
 * The commands `ticket close` and `ticket open`. They call a running gateway, and change nothing when the
 * ticket has the status already.
 */
export const statusCommands: readonly LooseCommand[] = [
  set('close', 'CLOSED', 'Close a ticket', 'closed'),
  set('open', 'OPEN', 'Reopen a closed ticket', 'open'),
];
