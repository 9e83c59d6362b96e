import DataLoader from 'dataloader';
import { type Attachment, listAttachments, loadAttachments } from '../tickets/attachment.ts';
import { listMessages, type PageMessage } from '../tickets/conversation.ts';
import type { DeskContext } from '../tickets/desk.ts';
import {
  type Attempt,
  type Delivery,
  listAttempts,
  loadDeliveries,
  loadDeliveriesOf,
} from '../tickets/ledger.ts';
import { loadMessages, type Message } from '../tickets/message.ts';
import { loadPeople, type Person } from '../tickets/people.ts';
import { loadTickets, type Page, type Ticket } from '../tickets/ticket.ts';

export interface Loaders {
  readonly ticket: DataLoader<number, Ticket | null>;
  readonly message: DataLoader<number, Message | null>;
  readonly attachment: DataLoader<number, Attachment | null>;
  readonly delivery: DataLoader<number, Delivery | null>;
  readonly person: DataLoader<number, Person | null>;
  readonly attachmentsOf: DataLoader<number, readonly Attachment[]>;
  readonly deliveryOf: DataLoader<number, Delivery | null>;
  readonly attemptsOf: DataLoader<number, readonly Attempt[]>;
  /** One page of several tickets' messages; tickets asked for the same page share a statement. */
  messagesOf(ticketId: number, page: Page): Promise<readonly PageMessage[]>;
}

/** Each of many things is asked for once a request, and those asked for together in one statement. */
export function createLoaders(ctx: DeskContext): Loaders {
  const by = <V>(load: (ctx: DeskContext, ids: readonly number[]) => Promise<Map<number, V>>) =>
    new DataLoader<number, V | null>(async (ids) => {
      const found = await load(ctx, ids);
      return ids.map((id) => found.get(id) ?? null);
    });
  const listBy = <V>(load: (ctx: DeskContext, ids: readonly number[]) => Promise<Map<number, V[]>>) =>
    new DataLoader<number, readonly V[]>(async (ids) => {
      const found = await load(ctx, ids);
      return ids.map((id) => found.get(id) ?? []);
    });
  const pages = new Map<string, DataLoader<number, readonly PageMessage[]>>();
  return {
    ticket: by(loadTickets),
    message: by(loadMessages),
    attachment: by(loadAttachments),
    delivery: by(loadDeliveries),
    person: by(loadPeople),
    attachmentsOf: listBy(listAttachments),
    deliveryOf: by(loadDeliveriesOf),
    attemptsOf: listBy(listAttempts),
    messagesOf(ticketId, page) {
      const name = JSON.stringify(page);
      let loader = pages.get(name);
      if (loader === undefined) {
        loader = listBy((context, ids) => listMessages(context, ids, page));
        pages.set(name, loader);
      }
      return loader.load(ticketId);
    },
  };
}
