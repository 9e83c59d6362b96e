import type { Db } from '../db/database.ts';
import { findDeskKey } from '../db/desk-key.ts';
import type { ReadAfter, ReadAlone } from '../events/feed.ts';
import type { FeedOf, Feeds, Watching } from '../events/feeds.ts';
import type { Page } from '../events/recent-events.ts';
import { asUnavailable, isOfStatement } from '../platform/database-faults.ts';
import { Unavailable } from '../platform/errors.ts';
import { createInterruptibleSleep } from '../platform/interruptible-sleep.ts';
import type { Logger } from '../platform/log.ts';
import type { DeskPosition } from '../tickets/events/desk-cursor.ts';
import { isWanted } from '../tickets/events/desk-feed.ts';
import type { DeskEvent, DeskEventFilter } from '../tickets/events/read-desk-events.ts';
import type { Reach } from './endpoint-url.ts';
import { eventId, webhookBody } from './event-body.ts';
import {
  type Endpoint,
  findLeased,
  type Lease,
  recordDelivery,
  recordFailure,
  recordGone,
  recordPosition,
  recordSkip,
  releaseEndpoint,
} from './leased-endpoints.ts';
import { verdictOfReply } from './reply-verdict.ts';
import { type Reply, sendRequest } from './send-request.ts';
import { secretsOf, signedHeaders } from './sign.ts';

/** How a request to an endpoint ended. `delivered`: with 2xx. `gone`: with 410 Gone. `failed`: otherwise. */
export type WebhookOutcome = 'delivered' | 'failed' | 'gone';

/** What sending to endpoints needs. */
export interface SendingPorts {
  readonly db: Db;
  readonly feeds: Feeds;
  /** The feed of all the desk's events. */
  readonly deskFeed: FeedOf<DeskEvent, DeskPosition>;
  /** Reads the events that a filter wants. */
  readonly readWanted: (filter: DeskEventFilter) => ReadAfter<DeskEvent, DeskPosition>;
  readonly reach: Reach;
  readonly log: Logger;
  readonly now: () => Date;
  /** In [0, 1): spreads retries. */
  readonly random: () => number;
  /** Called for each request when it has ended and its outcome is written. */
  readonly seen: (outcome: WebhookOutcome) => void;
  /**
   * Whether requests may be sent: not from a copy of the database. If not, it is asked again every second.
   */
  readonly mayBegin: () => Promise<boolean>;
}

/** A position that only moved over events that the filter does not want is written so often, milliseconds. */
const passEveryMs = 20_000;
/** Wait after an error of the database, and while sending is held, milliseconds. */
const patienceMs = 1000;
/** An event that cannot be built is skipped at this failure, some ten minutes after the first. */
const unbuiltAtMost = 8;
/** Wait after an error that is not of the database's condition: a person has to mend something. */
const damagedMs = 30_000;
/** New events end a wait: the feed wakes its watchers. */
const untilWoken = 60_000;

/** The sending to one endpoint, from its claim until its end. */
export interface EndpointRun {
  readonly lease: Lease;
  /**
   * Resolves when nothing is under way; never rejects. The endpoint is released then. If it was lost, or the
   * database failed, its lease expires instead.
   */
  readonly ended: Promise<void>;
  /** Ends a wait: the endpoint may have been enabled, so that its next request is due at once. */
  lookAgain(): void;
  /** Ends the loop: no further request begins. One that is under way is finished and recorded. */
  stop(): void;
}

/**
 * Starts a loop that sends an endpoint the desk's events that it wants, in their order and with one request
 * at a time: the next one is sent when the last one is answered and recorded. After a failed request the same
 * event is sent again when it is due. So is an event whose answer was not recorded, by this worker or the
 * next one. The loop ends when it is stopped, or when it finds before a request that the endpoint is
 * disabled, removed or another worker's. Errors of the database are logged, and the step is repeated after a
 * second. The caller renews the lease.
 * @param claimed the endpoint as `claimEndpoints` returned it
 * @param mayRequest whether the lease lasts longer than a request; asked before each. If not, the loop waits
 */
export function runEndpoint(ports: SendingPorts, claimed: Endpoint, mayRequest: () => boolean): EndpointRun {
  const pause = createInterruptibleSleep();
  let isStopped = false;
  const progress = new EndpointProgress(ports, claimed, mayRequest);
  const { lease } = progress;
  const run = async () => {
    using watching = await ports.feeds.watch(ports.deskFeed, pause.wake, progress.alone);
    while (!isStopped) {
      pause.reset();
      const wait = await step(progress, watching, ports);
      if (wait === undefined) break;
      if (wait > 0) await pause.sleep(wait);
    }
    await releaseEndpoint(ports.db, lease, progress.position);
  };
  const ended = run().catch((err) => {
    ports.log.warn({ err, webhookId: lease.id }, 'sending to a webhook failed; its lease will expire');
  });
  return {
    lease,
    ended,
    lookAgain: pause.wake,
    stop() {
      isStopped = true;
      pause.wake();
    },
  };
}

/**
 * One step that survives errors, which it logs.
 * @returns milliseconds to wait; undefined: the endpoint is disabled, removed or another worker's
 */
async function step(
  progress: EndpointProgress,
  watching: Watching<DeskEvent, DeskPosition>,
  { log, mayBegin }: SendingPorts,
): Promise<number | undefined> {
  try {
    if (!(await mayBegin())) return patienceMs;
    return (await progress.collect(watching)) ?? (await progress.sendFirst());
  } catch (err) {
    const { id: webhookId } = progress.lease;
    if (asUnavailable(err) instanceof Unavailable) {
      log.warn({ err, webhookId }, 'a webhook waits: the database is not responding');
      return patienceMs;
    }
    log.error({ err, webhookId }, 'a webhook waits: its next event cannot be read or sent; retrying');
    return damagedMs;
  }
}

/** The position of an endpoint in the events, and the events to send next. */
class EndpointProgress {
  readonly lease: Lease;
  readonly alone: ReadAlone<DeskEvent, DeskPosition>;
  readonly #ports: SendingPorts;
  readonly #filter: DeskEventFilter;
  readonly #mayRequest: () => boolean;
  position: DeskPosition;
  #waiting: readonly DeskEvent[] = [];
  /** Where to read on when all waiting events are delivered. */
  #reached: DeskPosition;
  #passedAt = performance.now();
  /** How often the first waiting event could not be built, in this run. */
  #timesUnbuilt = 0;

  constructor(ports: SendingPorts, claimed: Endpoint, mayRequest: () => boolean) {
    const { id, leaseToken, types, includesPrivate, place, ticketId, number } = claimed;
    this.lease = { id, token: leaseToken! };
    this.#ports = ports;
    this.#mayRequest = mayRequest;
    this.#filter = { types, visibility: includesPrivate ? null : 'PUBLIC' };
    this.alone = { read: ports.readWanted(this.#filter), key: JSON.stringify(this.#filter) };
    this.position = [place, ticketId, number];
    this.#reached = this.position;
  }

  /**
   * Reads the next events, unless some are still waiting. @returns milliseconds to wait when there are none
   */
  async collect(watching: Watching<DeskEvent, DeskPosition>): Promise<number | undefined> {
    if (this.#waiting.length > 0) return undefined;
    const page: Page<DeskEvent, DeskPosition> = await watching.next(this.#reached);
    this.#waiting = page.events.filter((event) => isWanted(this.#filter, event));
    this.#reached = page.reached;
    if (this.#waiting.length > 0) return undefined;
    this.position = this.#reached;
    await this.#pass();
    return page.more ? 0 : untilWoken;
  }

  async #pass(): Promise<void> {
    if (performance.now() - this.#passedAt < passEveryMs) return;
    this.#passedAt = performance.now();
    await recordPosition(this.#ports.db, this.lease, this.position);
  }

  /** Sends the first waiting event. @returns milliseconds to wait; undefined as `step` */
  async sendFirst(): Promise<number | undefined> {
    const { db, reach, now, seen } = this.#ports;
    const [event] = this.#waiting as readonly [DeskEvent];
    const endpoint = await findLeased(db, this.lease);
    if (endpoint === undefined) return undefined;
    if (endpoint.dueInMs > 0) return Math.ceil(endpoint.dueInMs);
    const id = eventId(await findDeskKey(db, 'webhook-ids'), event);
    const body = await this.#bodyOf(event, id, endpoint);
    if (body === undefined) return 0;
    const headers = signedHeaders({ id, at: now(), body }, secretsOf(endpoint, now()));
    // Last, because the database may have kept the statements before it waiting.
    if (!this.#mayRequest()) return patienceMs;
    seen(await this.#conclude(event, endpoint, await sendRequest(endpoint.url, { headers, body }, reach)));
    return 0;
  }

  /** Records how the attempt to send the first event ended. */
  async #conclude(event: DeskEvent, { id, failures }: Endpoint, reply: Reply): Promise<WebhookOutcome> {
    const { db, now, random, log } = this.#ports;
    const verdict = verdictOfReply(reply, failures, { now: now(), random });
    if (verdict.kind === 'delivered') await this.#recordFirst(event);
    else if (verdict.kind === 'gone') {
      await recordGone(db, this.lease);
      log.warn({ webhookId: id }, 'a webhook was disabled: its endpoint answered 410 Gone');
    } else if (await recordFailure(db, this.lease, verdict))
      log.error({ webhookId: id }, 'a webhook was disabled: it has failed for days');
    return verdict.kind;
  }

  /**
   * The body of the first event. One that cannot be built is due again as after a failed request, because the
   * reason may be mended. At the last of `unbuiltAtMost` failures it is skipped.
   * @returns undefined when it cannot be built
   */
  async #bodyOf(event: DeskEvent, id: string, endpoint: Endpoint): Promise<string | undefined> {
    const { db, log } = this.#ports;
    try {
      return await webhookBody(db, event, endpoint.includesPrivate);
    } catch (err) {
      // A grant that is missing, for example, says nothing of this event.
      if (asUnavailable(err) instanceof Unavailable || isOfStatement(err)) throw err;
      const { ticketId, cursor } = event;
      const about = { err, webhookId: endpoint.id, ticketId, eventId: id, cursor };
      this.#timesUnbuilt += 1;
      if (this.#timesUnbuilt < unbuiltAtMost) {
        log.error(about, 'a webhook waits: an event cannot be read; it is tried again, and then skipped');
        const error = `${id} cannot be read`;
        await this.#conclude(event, endpoint, { status: undefined, retryAfter: undefined, error });
      } else {
        await recordSkip(db, this.lease, { position: event.position, ticketId, eventId: id });
        log.error(about, 'a webhook skips an event: it cannot be read');
        this.#passFirst(event);
      }
      return undefined;
    }
  }

  async #recordFirst(event: DeskEvent): Promise<void> {
    await recordDelivery(this.#ports.db, this.lease, event.position);
    this.#passFirst(event);
  }

  #passFirst({ position }: DeskEvent): void {
    this.#timesUnbuilt = 0;
    this.#waiting = this.#waiting.slice(1);
    this.position = this.#waiting.length === 0 ? this.#reached : position;
  }
}
