import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventTypes, otherEventType } from '../../platform/vocabulary.ts';
import {
  type LooseCommand,
  type LooseContext,
  many,
  type OptionValues,
  one,
  UsageError,
} from '../command.ts';
import { nothing } from '../output.ts';
import { connectGateway, gatewayOptions } from './client.ts';
import { deskFeed, type EventFeed, type EventFilter, type ListedEvent, ticketFeed } from './event-feed.ts';
import { parseTicket } from './parse-ticket.ts';
import { subscriberOf } from './subscribe.ts';

/**
 * Writes an event as a line if it is wanted, and waits while the reader of the lines is slow.
 * @param interrupted ends the waiting
 * @returns false when it was interrupted, or when the line cannot be written: the reader has gone, or the
 *   disk is full. The owner of the stream, who gets its errors, says so
 */
async function print(
  { stdout }: LooseContext,
  feed: EventFeed,
  event: ListedEvent,
  interrupted?: AbortSignal,
): Promise<boolean> {
  if (!feed.wants(event) || stdout.write(`${JSON.stringify(event)}\n`)) return true;
  return once(stdout, 'drain', { signal: interrupted }).then(
    () => true,
    () => false,
  );
}

/** Prints all events after a cursor. @returns where they end; undefined when the lines cannot be written */
async function printPages(
  ctx: LooseContext,
  feed: EventFeed,
  from: string | undefined,
): Promise<{ readonly after: string | undefined } | undefined> {
  let after = from;
  for (;;) {
    const found = await feed.readPage(after);
    for (const event of found.events) if (!(await print(ctx, feed, event))) return undefined;
    after = found.cursor;
    if (!found.hasMore) return { after };
  }
}

/** How long to wait before the stream is opened again, milliseconds, at first and at most. */
const leastWaitMs = 250;
const mostWaitMs = 10_000;

/**
 * Prints events as they happen, until it is interrupted. Resumes after the last one when the connection is
 * lost.
 */
async function follow(ctx: LooseContext, feed: EventFeed, from: string | undefined): Promise<void> {
  const interrupted = ctx.whenInterrupted();
  let after = from;
  let waitMs = leastWaitMs;
  while (!interrupted.aborted) {
    for await (const event of feed.watch(after, interrupted)) {
      if (!(await print(ctx, feed, event, interrupted)) || interrupted.aborted) return;
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
  summary: 'Print what happens in all tickets or in one, one JSON object a line',
  details: [
    'Prints all events; with --follow, those from now on; with --after, those after that cursor.',
    'Each line has a cursor. Pass the last one as --after to continue where you stopped.',
    'Events of all tickets are for operators.',
  ].join('\n'),
  options: {
    ticket: { type: 'string', value: 'TICKET', help: 'only events of this ticket, a reference or an id' },
    follow: { type: 'boolean', help: 'keep printing new events until interrupted' },
    after: { type: 'string', value: 'CURSOR', help: 'only later events' },
    type: { type: 'string', value: 'TYPE', multiple: true, help: 'only events of this type; repeatable' },
    visibility: { type: 'string', value: 'PUBLIC|PRIVATE', help: 'only events with this visibility' },
    status: { type: 'string', value: 'OPEN|CLOSED', help: 'only events of tickets in this status' },
    ...gatewayOptions,
  },
  example: 'events --follow --type MESSAGE_ADDED',
  async runLoose(ctx, _args, values) {
    const types = many(values, 'type').map((type) => type.toUpperCase());
    const known: readonly string[] = [...eventTypes, otherEventType];
    const unknown = types.find((type) => !known.includes(type));
    if (unknown !== undefined)
      throw new UsageError(`--type must be one of ${known.join(', ')}, not ${unknown}`);
    const filter: EventFilter = {
      ...(types.length > 0 && { types }),
      ...oneOf(one(values, 'visibility'), 'visibility', ['PUBLIC', 'PRIVATE']),
      ...oneOf(one(values, 'status'), 'status', ['OPEN', 'CLOSED']),
    };
    const feed = sourceOf(ctx, values, filter);
    const isFollowing = values.follow === true;
    const after = one(values, 'after') ?? (isFollowing ? await feed.now() : undefined);
    const reached = await printPages(ctx, feed, after);
    if (isFollowing && reached !== undefined) await follow(ctx, feed, reached.after);
    return nothing;
  },
};

function sourceOf(ctx: LooseContext, values: OptionValues, filter: EventFilter): EventFeed {
  const gateway = connectGateway(ctx, values);
  const stream = subscriberOf(ctx, values);
  const ticket = one(values, 'ticket');
  return ticket === undefined
    ? deskFeed(gateway, stream, filter)
    : ticketFeed(gateway, stream, parseTicket(ticket), filter);
}

function oneOf(typed: string | undefined, name: string, known: readonly string[]): object {
  const value = typed?.toUpperCase();
  if (value === undefined) return {};
  if (!known.includes(value)) throw new UsageError(`--${name} must be ${known.join(' or ')}, not ${typed}`);
  return { [name]: value };
}

/**
 * The command `events`: prints the events of all tickets or of one, oldest first, as one JSON object a line.
 * Without `--follow` it ends with the last one so far; with it, it prints new ones until it is interrupted,
 * and resumes by itself after a lost connection. It calls a running gateway.
 */
export const eventCommands: readonly LooseCommand[] = [events];
