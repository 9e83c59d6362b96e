import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { roles, scopes } from '../../platform/request-context.ts';
import { bytea, createdAt, id, instant, oneOf } from './column-types.ts';

/** The desk's people, operators and requesters. A login is unique without regard to case. */
export const users = pgTable(
  'users',
  {
    id: id(),
    login: text('login').notNull(),
    name: text('name').notNull(),
    /** Address for mail; a requester without one cannot be mailed. */
    email: text('email'),
    role: text('role', { enum: roles }).notNull(),
    /** `scrypt$…` (ours), or an imported ASP.NET Identity or bcrypt hash until the next sign-in. */
    passwordHash: text('password_hash'),
    disabledAt: instant('disabled_at'),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('users_login_key').on(sql`lower(${t.login})`),
    index('users_email_idx').on(sql`lower(${t.email})`),
    // For an address's beginning, whatever the collation of the database is.
    index('users_email_prefix_idx').on(sql`lower(${t.email}) text_pattern_ops`),
    check('users_role_check', oneOf('role', roles)),
  ],
);

/** API tokens of users, of which only digests are stored. Expired and revoked ones are kept. */
export const apiTokens = pgTable(
  'api_tokens',
  {
    id: id(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    /** SHA-256 of the token. The token is random, so no salt is needed; it is never stored. */
    tokenHash: bytea('token_hash').notNull().unique(),
    scopes: text('scopes', { enum: scopes }).array().notNull(),
    createdAt: createdAt(),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
  },
  (t) => [index('api_tokens_user_idx').on(t.userId)],
);
