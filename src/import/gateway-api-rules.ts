import { hasVisibleText } from '../content/dom/has-visible-text.ts';
import { UnreadableBody } from '../content/dom/tree.ts';
import { readBody } from '../content/read-message-body.ts';
import type { DeskRecord, DeskRecordOf, ImportProblem, NumberedRecord } from './record.ts';

/*
 * Rules of this gateway's own API, for the lines of an import: a row that the API would refuse cannot be
 * imported. Problems are returned as texts for people, and nothing is refused here. What a line must contain
 * is in record.ts.
 */

/**
 * Yields one text for each action in a line that only operators may do and that the line has a requester do:
 * write a private message, send from a mailbox.
 * @param isRequester whether the user with this id is a requester; false for an id that nobody has, which is
 *   reported elsewhere
 */
export function* roleProblems(record: DeskRecord, isRequester: (id: number) => boolean): Iterable<string> {
  if (record.type === 'message' && record.visibility === 'PRIVATE' && isRequester(record.authorId))
    yield `the user ${record.authorId} is a requester, and only operators write private messages`;
  if (record.type !== 'mailbox') return;
  for (const id of new Set(record.operators ?? []))
    if (isRequester(id)) yield `the user ${id} is a requester, and only operators send mail`;
}

/**
 * The problems of messages whose body has no visible text or cannot be read, in the order of `records`. Lines
 * of other types have none. A plain text can always be read.
 * @throws Unavailable when too many large bodies wait to be read
 */
export async function bodyProblems(records: readonly NumberedRecord[]): Promise<ImportProblem[]> {
  const problems: ImportProblem[] = [];
  for (const { line, record } of records) {
    const message = record.type === 'message' ? await bodyProblem(record) : undefined;
    if (message !== undefined) problems.push({ line, message });
  }
  return problems;
}

async function bodyProblem({ body, format }: DeskRecordOf<'message'>): Promise<string | undefined> {
  try {
    const blank = format === 'HTML' ? (await readBody(body, format)).blank : !hasVisibleText(body);
    return blank ? 'body: the message has no text' : undefined;
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error;
    return `body: ${error.message}`;
  }
}

/**
 * Ids of the users to whom a line refers: a mailbox's operators, a ticket's requester, a message's author. An
 * id may occur twice. A user's line refers to nobody.
 */
export function usersNamedBy(record: DeskRecord): readonly number[] {
  switch (record.type) {
    case 'user':
      return [];
    case 'mailbox':
      return record.operators ?? [];
    case 'ticket':
      return [record.requesterId];
    case 'message':
      return [record.authorId];
  }
}
