import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';

/*
 * Shared by the mappings: they read an export and print the lines of docs/IMPORT.md. Everything is held in
 * memory.
 */

/** The first number of a row that is numbered anew: above what a new desk may have already. */
const firstId = 100_001;

/** The values of a file of JSON Lines. */
export async function* readLines(path) {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() === '') continue;
    try {
      yield JSON.parse(line.replace(/^\uFEFF/, ''));
    } catch (error) {
      throw new Error(`${path}, line ${number}: ${error.message}`);
    }
  }
}

/** An instant of the export. Without a zone it is UTC. */
export const instant = (text) =>
  new Date(/(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`).toISOString();

/** PostgreSQL cannot store U+0000, and UTF-8 cannot encode a lone surrogate. */
const clean = (text) => text.replaceAll('\0', '').toWellFormed();
/** A name or a subject in one line. */
const oneLine = (text, most) =>
  clean(text)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, most)
    .toWellFormed();
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** A desk that is filled in any order. */
export function createDesk() {
  const users = new Map();
  const logins = new Set();
  const tickets = [];
  const messages = [];

  /** @param key what the old desk names them by */
  function addUser(key, { login, name, email, role, createdAt, disabledAt }) {
    if (users.has(key)) return;
    const id = firstId + users.size;
    const free = oneLine(login, 240).replaceAll(':', '-');
    const own = logins.has(free.toLowerCase()) ? `${free}-${id}` : free;
    logins.add(own.toLowerCase());
    users.set(key, {
      ...{ type: 'user', id, login: own, name: oneLine(name || own, 255) || own, role },
      ...{ email: email || undefined, createdAt, disabledAt },
    });
  }

  /** The author's row. Exports leave out people who were deleted; their messages are still there. */
  function authorOf({ author, authorName, isPrivate, createdAt }) {
    const role = isPrivate ? 'OPERATOR' : 'REQUESTER';
    const key = author ?? 'unknown';
    const name = authorName || 'Former user';
    addUser(key, { login: `former-${key}`, name, role, createdAt, disabledAt: createdAt });
    return users.get(key);
  }

  /** Customers write no private messages here. Theirs were hidden from other customers, and stay hidden. */
  function hidden(message, author) {
    const role = 'OPERATOR';
    addUser('import', { login: 'import', name: 'Import', role, disabledAt: message.createdAt });
    return { ...message, body: withText(message, `${author.name}:`, 'before') };
  }

  function messageLine(given, index) {
    const author = authorOf(given);
    const isHidden = given.isPrivate && author.role === 'REQUESTER';
    const { body, format, ticketId, isMobileDevice, createdAt } = isHidden ? hidden(given, author) : given;
    return {
      ...{ type: 'message', id: given.id ?? firstId + index, ticketId },
      authorId: isHidden ? users.get('import').id : author.id,
      ...{ body: clean(body), format, visibility: given.isPrivate ? 'PRIVATE' : 'PUBLIC' },
      ...{ isMobileDevice, createdAt },
    };
  }

  return {
    addUser,
    addTicket: (ticket) => tickets.push(ticket),
    /** Files are not imported: their names stay in the text. */
    addMessage({ files = [], ...message }) {
      const note = files.length > 0 ? `[Attachments: ${files.join(', ')}]` : '';
      const body = note === '' ? message.body : withText(message, note, 'after');
      const isBlank = body.replaceAll(/<[^>]*>|&nbsp;/g, '').trim() === '';
      messages.push({ ...message, body: isBlank ? '(no text)' : body });
    },
    /** The lines, in the order that an import requires. */
    *lines({ mailbox } = {}) {
      const inOrder = messages.sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.order - b.order);
      const messageLines = inOrder.map(messageLine);
      const ticketLines = tickets.map(({ requester, subject, createdAt, ...ticket }) => ({
        ...{ type: 'ticket', ...ticket, subject: oneLine(subject, 10_000) },
        ...{ requesterId: authorOf({ author: requester, createdAt }).id, createdAt },
      }));
      const people = [...users.values()];
      yield* people;
      if (mailbox) {
        const operators = people.filter(({ role, disabledAt }) => role === 'OPERATOR' && !disabledAt);
        const ids = operators.map(({ id }) => id);
        yield { type: 'mailbox', id: firstId, address: mailbox, displayName: mailbox, operators: ids };
      }
      yield* ticketLines;
      // Ids order the messages of a ticket.
      yield* messageLines.sort((a, b) => a.id - b.id);
    },
  };
}

/** A body with another line of text. */
function withText({ body, format }, text, place) {
  const line = format === 'HTML' ? `<p>${escaped(text)}</p>` : text;
  const parts = place === 'before' ? [line, body] : [body, line];
  return parts.filter((part) => part !== '').join(format === 'HTML' ? '' : '\n\n');
}

/** Prints the desk as JSON Lines. */
export async function printDesk(desk, options) {
  async function* texts() {
    for (const line of desk.lines(options)) yield `${JSON.stringify(line)}\n`;
  }
  await pipeline(texts, process.stdout);
}
