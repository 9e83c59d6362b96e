/*
 * Every table, by subject. drizzle-kit generates schema/migrations from this file. What it cannot express
 * (roles, row-level security, grants on sequences) is written by hand in the migrations.
 */

export * from './tables/conversation.ts';
export * from './tables/deliveries.ts';
export * from './tables/desk-wide.ts';
export * from './tables/files.ts';
export * from './tables/mailboxes.ts';
export * from './tables/people.ts';
export * from './tables/search.ts';
export * from './tables/webhooks.ts';
