import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { tsvector } from './column-types.ts';
import { tickets } from './conversation.ts';

/**
 * What a search finds a ticket by: its reference and the words of its subject. A trigger on `tickets` writes
 * it. The gateway's role can neither read nor write it; SQL functions of the tables' owner do. It has a table
 * of its own, because every new message updates its ticket's row: with these columns there, each update would
 * write their indexes too.
 */
export const ticketSearch = pgTable(
  'ticket_search',
  {
    ticketId: integer('ticket_id')
      .primaryKey()
      .references(() => tickets.id, { onDelete: 'cascade' }),
    referenceKey: text('reference_key').notNull(),
    /** The subject's words. */
    words: tsvector('words').notNull(),
  },
  (t) => [
    // For a reference's beginning, whatever the collation of the database is.
    index('ticket_search_reference_idx').on(t.referenceKey.op('text_pattern_ops')),
    index('ticket_search_words_idx').using('gin', t.words),
  ],
);

/**
 * The words of messages, for searches. `fill_message_search` writes them after the messages' own commits,
 * many at a time: written in a message's own transaction, they would take a fifth of its time in PostgreSQL.
 * A trigger rewrites the words of a message whose body is changed. There is no foreign key, because its check
 * locks each message's row, and so writes it once more. A message whose words cannot be made has the word
 * `#lost` instead, and is tried again by `retry_lost_words`. The gateway deletes no message; if the tables'
 * owner deletes some, a trigger deletes their words. The gateway's role can neither read nor write the table;
 * SQL functions of the tables' owner do.
 */
export const messageSearch = pgTable(
  'message_search',
  {
    messageId: integer('message_id').primaryKey(),
    words: tsvector('words').notNull(),
  },
  (t) => [index('message_search_words_idx').using('gin', t.words)],
);

/**
 * Which messages have their words in `messageSearch`, in a single row. A search also reads the bodies of the
 * newest 1,000 messages above `covered`; an older one there is not found until its words are written. A
 * migration that changes how texts become words sets the two `outdated` columns, and `renew_search_words`
 * does the rest in small steps; until it has, a search may miss some tickets and messages. The gateway's role
 * can neither read nor write the table; SQL functions of the tables' owner do.
 */
export const searchProgress = pgTable(
  'search_progress',
  {
    /** Always true, so that the table has one row. */
    only: boolean('only').primaryKey().default(true),
    /** All messages up to this id have their words, and no further message can get an id below it. */
    covered: integer('covered').notNull().default(0),
    /** The next value of `covered`: ids up to this had been drawn when `fence` was set. */
    candidate: integer('candidate').notNull().default(0),
    /** The place (see `events.place`) below which transactions must have ended before `candidate` counts. */
    fence: bigint('fence', { mode: 'number' }).notNull().default(0),
    /** Tickets up to this id may have words as an earlier version wrote them. 0: none. */
    outdatedTickets: integer('outdated_tickets').notNull().default(0),
    /** The same for messages, which are renewed after the tickets. */
    outdatedMessages: integer('outdated_messages').notNull().default(0),
  },
  (t) => [check('search_progress_only_check', sql`${t.only}`)],
);
