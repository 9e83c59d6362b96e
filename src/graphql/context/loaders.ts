import DataLoader from 'dataloader';
import type { Added } from '../../tickets/add-message/result.ts';
import type { TicketContext } from '../../tickets/context.ts';
import { listAttempts, loadDeliveries, loadDeliveriesOf } from '../../tickets/deliveries/load-deliveries.ts';
import type { TicketEvent } from '../../tickets/events/event.ts';
import { requireViewer, whyNotRead } from '../../tickets/permissions.ts';
import { listAttachments, loadAttachments } from '../../tickets/read/attachments.ts';
import type { PageMessage, PageTicket } from '../../tickets/read/conversation/decode-rows.ts';
import {
  findWithMessages,
  listMessages,
  type WantedParts,
} from '../../tickets/read/conversation/list-messages.ts';
import { loadBodies, loadMessages, type Message } from '../../tickets/read/load-messages.ts';
import type { KeysetPage, PageOf, Paging } from '../../tickets/read/pagination.ts';
import { loadMailboxes, loadPeople } from '../../tickets/read/people-and-mailboxes.ts';
import { listTickets, type TicketListInput } from '../../tickets/read/ticket-list.ts';
import { loadTickets } from '../../tickets/read/tickets.ts';
import { countUnseen } from '../../tickets/seen-marks.ts';
import type { TicketSelector } from '../../tickets/ticket-selector.ts';
import { BodyAllowance } from './body-allowance.ts';
import { type Loaded, loadApart } from './load-apart.ts';

/** The parts that are read together with messages. Other parts are loaded when a field asks for them. */
export interface Parts {
  /** Only while they are small: see `BodyAllowance.lend`. */
  readonly bodies: boolean;
  /** Their attachments. */
  readonly files: boolean;
  /** Their deliveries. */
  readonly mails: boolean;
}

/** What is read with a list of tickets. `Parts` are those of the last messages. */
export interface ListParts extends Parts {
  readonly requesters: boolean;
  readonly lastMessages: boolean;
}

/** Ids that may be looked up without the scope `read`. */
type IsFree = (id: number) => boolean;
type LoadByIds<V> = (ctx: TicketContext, ids: readonly number[]) => Promise<Map<number, V>>;
interface LoaderOptions<V> {
  readonly none: V;
  readonly isFree?: IsFree | undefined;
}

/** What several answers load together. */
interface SharedRows {
  readonly made: Map<unknown, DataLoader<number, unknown>>;
  /** Ids that are loaded with the first one of their kind. */
  readonly expected: Map<unknown, readonly number[]>;
}

/** Bytes of the bodies that came with their messages. */
const bytesBrought = (messages: readonly Message[]): number =>
  messages.reduce((sum, { body, bodyBytes = 0 }) => sum + (body === null ? 0 : bodyBytes), 0);

/**
 * Loads each row once per request, and again after each command of the request. Batches rows that are
 * requested together into one statement. The getters are DataLoaders by the integer id of their row (the
 * names that end in `Of`: by the id of what the rows belong to). They give null, or an empty list, for what
 * does not exist or the viewer may not see. A load rejects with the Refusal UNAUTHENTICATED without a viewer,
 * FORBIDDEN without the scope `read`, or the error of the statement. A row that the server cannot return
 * fails alone. What a command has just written is primed and needs neither loading nor the scope.
 */
export class Loaders {
  readonly #ctx: TicketContext;
  readonly #beside: Loaders | undefined;
  // Created on first use: a request needs few of them, and thousands of streams need none.
  #shared: SharedRows | undefined;
  #known: (readonly [name: unknown, id: number, value: unknown])[] | undefined;

  #allowance: BodyAllowance | undefined;
  #ownBodies: DataLoader<number, string | null> | undefined;

  /**
   * @param beside loaders of the same rights whose cached rows are shared in both directions. The allowance
   *   of bodies is not shared, nor are bodies that were not loaded with their messages
   */
  constructor(ctx: TicketContext, beside?: Loaders) {
    this.#ctx = ctx;
    this.#beside = beside;
  }

  get #rows(): SharedRows {
    this.#shared ??=
      this.#beside === undefined ? { made: new Map(), expected: new Map() } : this.#beside.#rows;
    return this.#shared;
  }

  /**
   * Forgets all rows, because a command may have changed some: what is loaded afterwards is as it is then.
   * Bodies that are read again count again.
   */
  forget(): void {
    this.#shared = undefined;
    this.#known = undefined;
    this.#ownBodies = undefined;
    this.#allowance?.forget();
  }

  /**
   * Primes the ticket, attachments and delivery that a command has written: its payload need not read them.
   */
  know({ ticket, message, attachments, delivery }: Added): void {
    this.#know(loadTickets, ticket.id, ticket);
    this.#know(listAttachments, message.id, attachments);
    this.#know(loadDeliveriesOf, message.id, delivery);
  }

  /**
   * Announces the next events and loads nothing yet. The first load of tickets, messages, attachments,
   * deliveries or people then also loads those of all these events, in one statement.
   */
  expect(events: readonly TicketEvent[]): void {
    const expect = (name: unknown, ids: readonly (number | null)[]) =>
      this.#rows.expected.set(
        name,
        [...new Set(ids)].filter((id) => id !== null),
      );
    const messageIds = events.map(({ messageId }) => messageId);
    for (const name of [loadMessages, listAttachments, loadDeliveriesOf]) expect(name, messageIds);
    expect(
      loadTickets,
      events.map(({ ticketId }) => ticketId),
    );
    expect(
      loadDeliveries,
      events.map(({ deliveryId }) => deliveryId),
    );
    expect(
      loadPeople,
      events.map(({ actorId }) => actorId),
    );
  }

  get ticket() {
    return this.#one(loadTickets);
  }
  /** The body is null if it is too long to be loaded with the message: `bodyOf` loads it. */
  get message() {
    return this.#loader<Message | null>(
      loadMessages,
      (ctx, ids) =>
        this.bodies.lend(
          (bytes) => loadMessages(ctx, ids, bytes),
          (found) => bytesBrought([...found.values()]),
        ),
      { none: null },
    );
  }
  get attachment() {
    return this.#one(loadAttachments);
  }
  get delivery() {
    return this.#one(loadDeliveries);
  }
  /** Those from which the viewer may send. */
  get mailbox() {
    return this.#one(loadMailboxes);
  }
  /** Any user: pass ids of people on what the viewer sees. Its own user needs no scope. */
  get person() {
    return this.#one(loadPeople, (id) => id === this.#ctx.viewer?.userId);
  }
  /** By ticket, the number of messages by others that the viewer has not seen (see `countUnseen`). */
  get unseenOf() {
    return this.#one(countUnseen);
  }
  /** By message, in their order. */
  get attachmentsOf() {
    return this.#many(listAttachments, listAttachments);
  }
  /** By message. Null for requesters, who may not see deliveries. */
  get deliveryOf() {
    return this.#one(loadDeliveriesOf);
  }
  /** By delivery, oldest first. Needs no scope: the caller has the delivery, perhaps from a payload. */
  get attemptsOf() {
    return this.#many(listAttempts, listAttempts, () => true);
  }

  /** One page of a ticket's messages. Tickets for which the same page is requested share a statement. */
  messagesOf(ticketId: number, page: KeysetPage, parts: Parts): Promise<readonly PageMessage[]> {
    return this.#pages(page, parts).load(ticketId);
  }

  /**
   * A ticket; undefined if it does not exist or the viewer may not see it. The page of its messages is read
   * by the same statement, so that `messagesOf` with the same page and parts need not read it.
   * @throws Refusal UNAUTHENTICATED, FORBIDDEN
   */
  async ticketWithMessages(
    by: TicketSelector,
    page: KeysetPage,
    parts: Parts,
  ): Promise<PageTicket | undefined> {
    const found = await this.#lend(
      parts,
      (wanted) => findWithMessages(this.#ctx, by, page, wanted),
      (read) => read?.messages ?? [],
    );
    if (found === undefined) return undefined;
    this.#pages(page, parts).prime(found.ticket.id, found.messages);
    return found.ticket;
  }

  /**
   * A page of tickets with what is selected of each, in one statement. It is not cached.
   * @throws Refusal UNAUTHENTICATED, FORBIDDEN, INVALID_INPUT
   */
  tickets(
    input: TicketListInput,
    paging: Paging,
    { requesters, lastMessages, ...parts }: ListParts,
  ): Promise<PageOf<PageTicket>> {
    return this.#lend(
      parts,
      (wanted) => listTickets(this.#ctx, input, paging, { ...wanted, requesters, lastMessages }),
      ({ edges }) => edges.flatMap(({ node }) => node.lastMessage ?? []),
    );
  }

  #pages(page: KeysetPage, parts: Parts): DataLoader<number, readonly PageMessage[]> {
    const { after, before, limit, inverted } = page;
    const name = [after, before, limit, inverted, ...Object.values(parts)].join();
    return this.#many<PageMessage>(name, (ctx, ids) =>
      this.#lend(
        parts,
        (wanted) => listMessages(ctx, ids, page, wanted),
        (found) => [...found.values()].flat(),
      ),
    );
  }

  /** Reads messages with their bodies, if these are asked for and small enough. */
  #lend<T>(
    { bodies, ...parts }: Parts,
    load: (wanted: WantedParts) => Promise<T>,
    messagesIn: (loaded: T) => readonly Message[],
  ): Promise<T> {
    if (!bodies) return load({ ...parts, bodyBytes: -1 });
    return this.bodies.lend(
      (bodyBytes) => load({ ...parts, bodyBytes }),
      (loaded) => bytesBrought(messagesIn(loaded)),
    );
  }

  /**
   * The body of a message as written. It is read if it was not loaded with the message. Empty if the viewer
   * may not see the message any more.
   * @throws ResponseTooLarge when the request has loaded too many bytes of bodies
   */
  bodyOf({ id, body, bodyBytes = 0 }: Message): string | Promise<string> {
    if (body !== null) return body;
    this.bodies.spend(id, bodyBytes);
    this.#ownBodies ??= this.#createLoader<string | null>(
      loadBodies,
      (ctx, ids) => this.#readBodies(ctx, ids),
      { none: null },
    );
    return this.#ownBodies.load(id).then((read) => read ?? '');
  }

  /** One statement after the other, so that what the driver holds for one can be garbage collected first. */
  async #readBodies(ctx: TicketContext, ids: readonly number[]): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    for (const batch of this.bodies.batchesOf(ids)) {
      this.bodies.assertWithin();
      for (const [id, body] of await loadBodies(ctx, batch)) {
        this.bodies.spendOnMemory(id, body);
        found.set(id, body);
      }
    }
    return found;
  }

  /** What this request may still read and show of messages' bodies. */
  get bodies(): BodyAllowance {
    this.#allowance ??= new BodyAllowance(this.#ctx.services.limits.responseBytes);
    return this.#allowance;
  }

  #know(name: unknown, id: number, value: unknown): void {
    const made = this.#rows.made.get(name);
    if (made !== undefined) return void made.prime(id, value);
    this.#known ??= [];
    this.#known.push([name, id, value]);
  }

  #one<V>(load: LoadByIds<V>, isFree?: IsFree): DataLoader<number, V | null> {
    return this.#loader<V | null>(load, load, { none: null, isFree });
  }

  #many<V>(name: unknown, load: LoadByIds<V[]>, isFree?: IsFree): DataLoader<number, readonly V[]> {
    return this.#loader<readonly V[]>(name, load, { none: [], isFree });
  }

  #loader<V>(name: unknown, load: LoadByIds<V>, options: LoaderOptions<V>): DataLoader<number, V> {
    let loader = this.#rows.made.get(name) as DataLoader<number, V> | undefined;
    if (loader === undefined) {
      loader = this.#createLoader(name, load, options);
      for (const [of, id, value] of this.#known ?? []) if (of === name) loader.prime(id, value as V);
      this.#rows.made.set(name, loader);
    }
    return loader;
  }

  #createLoader<V>(
    name: unknown,
    load: LoadByIds<V>,
    { none, isFree = () => false }: LoaderOptions<V>,
  ): DataLoader<number, V> {
    const loader = new DataLoader<number, V>(async (ids) => {
      const refusal = whyNotRead(requireViewer(this.#ctx));
      const more = refusal === undefined ? this.#expectedBeside(name, ids) : [];
      const allowed = refusal === undefined ? [...ids, ...more] : ids.filter(isFree);
      const loading = loadApart((some) => load(this.#ctx, some), allowed);
      // At once: another answer may ask for one of them while they are loaded.
      for (const id of more) primeLater(loader, id, loading, none);
      const { found, failed } = await loading;
      return ids.map((id) =>
        refusal === undefined || isFree(id) ? (failed.get(id) ?? found.get(id) ?? none) : refusal,
      );
    });
    return loader;
  }

  /** The expected ids that are not among these. They are loaded once. */
  #expectedBeside(name: unknown, ids: readonly number[]): readonly number[] {
    const expected = this.#rows.expected.get(name) ?? [];
    this.#rows.expected.delete(name);
    return expected.filter((id) => !ids.includes(id));
  }
}

/** Primes a loader with a value to come. What could not be loaded is loaded when it is asked for. */
function primeLater<V>(
  loader: DataLoader<number, V>,
  id: number,
  loading: Promise<Loaded<V>>,
  none: V,
): void {
  const value = loading.then(({ found, failed }) => {
    const error = failed.get(id);
    if (error !== undefined) throw error;
    return found.get(id) ?? none;
  });
  loader.prime(id, value);
  value.catch(() => loader.clear(id));
}
