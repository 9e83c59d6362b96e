import { createHash } from 'node:crypto';
import { and, eq, gt, isNull, or, relations, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import * as tables from '../../../../src/db/tables.ts';

const { apiTokens, attachments, deliveries, deliveryRecipients, messages, tickets, users } = tables;

const schema = {
  ...tables,
  ticketsRelations: relations(tickets, ({ one }) => ({
    requester: one(users, { fields: [tickets.requesterId], references: [users.id] }),
    lastMessage: one(messages, { fields: [tickets.lastMessageId], references: [messages.id] }),
  })),
  messagesRelations: relations(messages, ({ one, many }) => ({
    author: one(users, { fields: [messages.authorId], references: [users.id] }),
    attachments: many(attachments),
    delivery: one(deliveries),
  })),
  attachmentsRelations: relations(attachments, ({ one }) => ({
    message: one(messages, { fields: [attachments.messageId], references: [messages.id] }),
  })),
  deliveriesRelations: relations(deliveries, ({ one, many }) => ({
    message: one(messages, { fields: [deliveries.messageId], references: [messages.id] }),
    recipients: many(deliveryRecipients),
  })),
  deliveryRecipientsRelations: relations(deliveryRecipients, ({ one }) => ({
    delivery: one(deliveries, { fields: [deliveryRecipients.deliveryId], references: [deliveries.id] }),
  })),
};

/** Ten connections, like everybody's; where the database is, the environment says. */
export const db = drizzle(postgres({ max: Number(process.env.DATABASE_POOL) }), { schema });

/** Who asks: an API token, looked up by its hash. */
export async function authenticate(authorization) {
  const token = authorization?.match(/^Bearer (.+)$/)?.[1];
  if (!token) return undefined;
  const tokenHash = createHash('sha256').update(token).digest();
  const [user] = await db
    .select({ id: users.id, name: users.name, role: users.role, scopes: apiTokens.scopes })
    .from(apiTokens)
    .innerJoin(users, eq(users.id, apiTokens.userId))
    .where(
      and(
        eq(apiTokens.tokenHash, tokenHash),
        isNull(apiTokens.revokedAt),
        or(isNull(apiTokens.expiresAt), gt(apiTokens.expiresAt, sql`now()`)),
        isNull(users.disabledAt),
      ),
    );
  return user;
}
