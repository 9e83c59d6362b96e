import { type SQL, sql } from 'drizzle-orm';
import { tickets } from '../../db/tables.ts';
import type { Problem } from '../../platform/errors.ts';
import { byLastMessage } from './by-last-message.ts';

/*
 * SQL for full-text search. Words are found whole, in any order, whatever their case and however their
 * accents, quotes and hyphens are encoded; `"…"` is a phrase, `-word` excludes and `or` is a choice. An
 * operator's search reads the word indexes through functions of the owner, which return ids only (migration
 * `desk_reads`). A requester's search looks up the words of a bounded number of their own rows, through such
 * functions too (migrations `own_ticket_search` and `own_message_search`), which read no row of others.
 */

/** Longest text, in characters. */
const maxText = 200;
/** Most tickets that a search finds. */
const maxTicketHits = 1000;
/**
 * Number of their most recently active tickets whose messages are searched, and of the newest messages in
 * them.
 */
const activeTickets = 100;
const ownMessages = 1000;

/** A text as it is searched for, and what keeps it from that. */
export interface JudgedText {
  /** Without blanks and invisible characters at its ends. Empty if there are problems. */
  readonly text: string;
  readonly problems: readonly Problem[];
}

/**
 * Judges a text to search for. It may not be blank, have more than 200 characters, or contain U+0000 or a
 * lone surrogate.
 * @param path of the text in the input
 */
export function judgeText(text: string, path: readonly string[]): JudgedText {
  // Judged before trimming, which is quadratic: a megabyte of blanks would take minutes.
  const problems = [...problemsOf(text, path)];
  if (problems.length > 0) return { text: '', problems };
  return { text: text.replace(/^[\s\p{Cf}\p{DI}]+|[\s\p{Cf}\p{DI}]+$/gu, ''), problems };
}

function* problemsOf(text: string, path: readonly string[]): Iterable<Problem> {
  if (/^[\s\p{Cf}\p{DI}]*$/u.test(text)) yield { path, message: 'The text is blank' };
  if (text.length > maxText)
    yield { path, message: `The text has ${text.length} characters; ${maxText} are allowed` };
  if (text.includes('\0') || !text.isWellFormed())
    yield { path, message: 'The text contains U+0000 or a lone surrogate' };
}

const wordsOf = (text: SQL): SQL => sql`text_query(${text})`;
/** The beginning of a reference or an address, without brackets. Null if it is empty, as that matches all. */
const beginningOf = (text: SQL): SQL =>
  sql`nullif(lower(btrim(plain_text(${text}), '[](){}<>"'',.;:!?')), '')`;
/** The same without the `#` that people write before a reference. Null if it has none, or nothing else. */
const beginningBehindSign = (text: SQL): SQL =>
  sql`case when starts_with(${beginningOf(text)}, '#')
    then nullif(ltrim(${beginningOf(text)}, '#'), '') end`;
const newest = sql`2147483647`;

/**
 * SQL for the ids of tickets that match the text, newest first: by words of the subject, or by the beginning
 * of the reference, with a `#` before it or not, or of the requester's address. For operators, who see
 * everything.
 * @param before only ids below this; by default all
 * @param most how many ids at most; by default 1,000
 */
export const ticketsWith = (
  text: SQL,
  before: SQL = newest,
  most: SQL = sql.raw(`${maxTicketHits}`),
): SQL => sql`
  select f.id from (
    select find_ticket_ids(${wordsOf(text)}, ${beginningOf(text)}, ${before}, ${most})
    union select find_ticket_ids('', ${beginningBehindSign(text)}, ${before}, ${most})
    where ${beginningBehindSign(text)} is not null
  ) f (id) order by f.id desc limit ${most}`;

/**
 * SQL for the ids of messages, private ones too, whose bodies match the text, newest first. For operators,
 * who see everything.
 * @param before only ids below this
 * @param most how many ids at most
 */
export const messagesWith = (text: SQL, before: SQL, most: SQL): SQL =>
  sql`select find_message_ids(${wordsOf(text)}, ${before}, ${most})`;

/**
 * SQL for the ids of the requester's own tickets that match the text, by words of the subject or the
 * beginning of the reference, in no order: among their 2,000 newest tickets of each status. For requesters.
 * @param before only ids below this; by default all
 */
export const ownTicketsWith = (text: SQL, before: SQL = newest): SQL => sql`
  select find_own_ticket_ids(${wordsOf(text)},
    array[${beginningOf(text)}, ${beginningBehindSign(text)}], ${before})`;

const activeFirst = (viewer: SQL): SQL =>
  byLastMessage({
    byOperator: false,
    direction: 'desc',
    where: sql`${tickets.requesterId} = ${viewer} and ${tickets.status} = s.wanted`,
    above: [sql`'-infinity'::timestamptz`, sql`0`],
    below: [sql`'infinity'::timestamptz`, newest],
    limit: sql.raw(String(activeTickets)),
  });

/**
 * SQL for the ids of public messages that match the text, in a requester's own tickets, in no order. Searches
 * the 1,000 newest messages of the 100 tickets that were active last; of those whose words are not indexed
 * yet, the newest 2 MB.
 * @param viewer the requester's id
 * @param before only ids below this
 */
export const ownMessagesWith = (text: SQL, viewer: SQL, before: SQL): SQL => sql`
  select find_own_message_ids(${wordsOf(text)}, array(
    select i.id from (
      select t.id from unnest(array['OPEN', 'CLOSED']) s (wanted)
      cross join lateral (${activeFirst(viewer)}) t
      order by t.public_active_at desc limit ${sql.raw(String(activeTickets))}
    ) t cross join lateral (
      select m.id from messages m
      where m.ticket_id = t.id and m.visibility = 'PUBLIC' and m.id < ${before}
      order by m.id desc limit ${sql.raw(String(ownMessages))}
    ) i
    order by i.id desc limit ${sql.raw(String(ownMessages))}))`;
