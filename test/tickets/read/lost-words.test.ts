import { expect, test } from 'vitest';
import { createLog } from '../../../src/platform/log.ts';
import { startMessageSearchIndexer } from '../../../src/tickets/message-search-indexer.ts';
import { asOperator, asRequester, startGateway } from '../../support/gateway.ts';
import { add, ask } from '../calls.ts';

test('a message whose words cannot be made is logged, hides no other, and is found later', async () => {
  const lines: { messageId?: number; code?: string; msg: string }[] = [];
  const log = createLog('warn', { write: (line: string) => lines.push(JSON.parse(line)) > 0 } as never);
  await using gateway = await startGateway({ env: { ROLES: 'web' }, overrides: { log } });
  const { sql } = gateway;
  const [{ usual }] = await sql<[{ usual: string }]>`
    select pg_get_functiondef('body_words(text, text)'::regprocedure) as usual`;
  // As for a body that storage has damaged.
  await sql.unsafe(`create or replace function body_words(body text, format text) returns tsvector
    language plpgsql immutable as $$ begin
      if body like '%contrabassoon%' then raise exception 'unreadable: %', body; end if;
      return to_tsvector('simple', body);
    end $$`);
  const write = async (body: string) => (await add(gateway, { body })).ticketMessage.messageId;
  const lost = await write('A contrabassoon');
  const others = [await write('A heckelphone'), await write('Another heckelphone')];
  /** What an operator finds; a requester finds the same. */
  const search = async (text: string) => {
    const query = `query ($text: String!) {
      search(text: $text, in: MESSAGES) { nodes { ticketMessage { messageId } } } }`;
    const [found, theirs] = await Promise.all(
      [asOperator, asRequester].map((authorization) =>
        ask<{ nodes: { ticketMessage: { messageId: number } }[] }>(
          gateway,
          query,
          { text },
          { authorization },
        ),
      ),
    );
    expect(theirs).toEqual(found);
    return found!.nodes.map(({ ticketMessage }) => ticketMessage.messageId);
  };
  expect(await search('heckelphone')).toEqual(others.toReversed());

  const { desk } = gateway.database.database;
  {
    await using _first = startMessageSearchIndexer(desk, log);
    const indexed = () => sql`select message_id from message_search where words @@ 'heckelphone'`;
    await expect.poll(indexed).toHaveLength(2);
    expect(await search('heckelphone')).toEqual(others.toReversed());
    await expect.poll(() => lines).toHaveLength(1);
    // An upgrade has all words written anew.
    await sql`update search_progress set outdated_messages = ${others[1]!}`;
    const outdated = () => sql`select outdated_messages as messages from search_progress`;
    await expect.poll(outdated).toEqual([{ messages: 0 }]);
  }
  expect(lines).toEqual([expect.objectContaining({ messageId: lost, code: 'P0001' })]);
  expect(JSON.stringify(lines)).not.toContain('contrabassoon');
  expect(await search('contrabassoon')).toEqual([]);

  await sql.unsafe(usual);
  await using _next = startMessageSearchIndexer(desk, log);
  await expect.poll(() => search('contrabassoon')).toEqual([lost]);
});
