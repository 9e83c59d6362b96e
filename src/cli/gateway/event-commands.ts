import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventTypes } from '../../platform/vocabulary.ts';
import { type LooseCommand, type LooseContext, many, one, UsageError } from '../command.ts';
import { nothing } from '../output.ts';
import { connectGateway, type GatewayClient, gatewayOptions } from './client.ts';
import { type EventStream, streamFrom } from './stream.ts';

const fields = `cursor type visibility at actor { name } ticket { ticketId reference status }
  ticketMessage { messageId } delivery { id state }`;
const page = /* GraphQL */ `query Events($after: String, $filter: DeskEventFilter) {
  deskEvents(after: $after, filter: $filter) { cursor hasMore events { ${fields} } }
}`;
const subscription = /* GraphQL */ `subscription Follow($after: String, $filter: DeskEventFilter) {
  deskEvents(after: $after, filter: $filter) { ${fields} }
}`;

interface ListedEvent {
  readonly cursor: string;
}
interface EventPage {
  readonly cursor: string;
  readonly hasMore: boolean;
  readonly events: readonly ListedEvent[];
}

/** Writes one event as a line, and waits while the reader of the lines is slow. */
async function print({ stdout }: LooseContext, event: ListedEvent): Promise<void> {
  if (!stdout.write(`${JSON.stringify(event)}\n`)) await once(stdout, 'drain');
}

/** Prints all events after a cursor. @returns the cursor behind them */
async function printPages(
  ctx: LooseContext,
  gateway: GatewayClient,
  filter: object,
  from: string | undefined,
): Promise<string> {
  let after = from;
  for (;;) {
    const found = await gateway.execute<EventPage>(page, { after, filter });
    for (const event of found.events) await print(ctx, event);
    after = found.cursor;
    if (!found.hasMore) return after;
  }
}

/** How long to wait before the stream is opened again, milliseconds, at first and at most. */
const leastWaitMs = 250;
const mostWaitMs = 10_000;

/**
 * Prints events as they happen, until it is interrupted. Resumes after the last one when the connection is
 * lost.
 */
async function follow(ctx: LooseContext, stream: EventStream, filter: object, from: string): Promise<void> {
  const interrupted = ctx.whenInterrupted();
  let after = from;
  let waitMs = leastWaitMs;
  while (!interrupted.aborted) {
    for await (const event of stream<ListedEvent>(subscription, { after, filter }, interrupted)) {
      await print(ctx, event);
      after = event.cursor;
      waitMs = leastWaitMs;
    }
    await sleep(waitMs, undefined, { signal: interrupted }).catch(() => {});
    waitMs = Math.min(mostWaitMs, 2 * waitMs);
  }
}

const events: LooseCommand = {
  name: 'events',
  arguments: [],
  summary: 'Print what happens in all tickets, one JSON object a line',
  details: [
    'Without --after, prints all events; with --follow and without --after, those from now on.',
    'Each line has a cursor. Pass the last one as --after to go on where you stopped.',
  ].join('\n'),
  options: {
    follow: { type: 'boolean', help: 'go on with new events until it is interrupted' },
    after: { type: 'string', value: 'CURSOR', help: 'only later events' },
    type: { type: 'string', value: 'TYPE', multiple: true, help: 'only events of this type; repeatable' },
    visibility: { type: 'string', value: 'PUBLIC|PRIVATE', help: 'only events with this visibility' },
    status: { type: 'string', value: 'OPEN|CLOSED', help: 'only events of tickets in this status' },
    ...gatewayOptions,
  },
  example: 'events --follow --type MESSAGE_ADDED',
  async runLoose(ctx, _args, values) {
    const types = many(values, 'type').map((type) => type.toUpperCase());
    const unknown = types.find((type) => !eventTypes.some((known) => known === type));
    if (unknown !== undefined)
      throw new UsageError(`--type must be one of ${eventTypes.join(', ')}, not ${unknown}`);
    const filter = {
      ...(types.length > 0 && { types }),
      ...oneOf(one(values, 'visibility'), 'visibility', ['PUBLIC', 'PRIVATE']),
      ...oneOf(one(values, 'status'), 'status', ['OPEN', 'CLOSED']),
    };
    const gateway = connectGateway(ctx, values);
    let after = one(values, 'after');
    if (values.follow === true && after === undefined)
      after = await gateway.execute<string & object>('{ deskCursor }', {});
    const reached = await printPages(ctx, gateway, filter, after);
    if (values.follow === true) await follow(ctx, streamFrom(ctx, values), filter, reached);
    return nothing;
  },
};

function oneOf(typed: string | undefined, name: string, known: readonly string[]): object {
  const value = typed?.toUpperCase();
  if (value === undefined) return {};
  if (!known.includes(value)) throw new UsageError(`--${name} must be ${known.join(' or ')}, not ${typed}`);
  return { [name]: value };
}

/** The command `events`: prints the events of all tickets as they happen. It calls a running gateway. */
export const eventCommands: readonly LooseCommand[] = [events];
