import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Answer, type Caller, type Door, type Message, say } from '../../crash/support/calls.ts';
import { between, seeded } from '../../crash/support/random.ts';
import { countWaiting } from '../../support/database.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { sampled, soaking } from '../../support/soak.ts';
import { untilNoMailIsUnderWay } from '../calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(() => untilNoMailIsUnderWay(gateway));

const files = [{ name: 'plan é.txt', type: 'text/plain', bytes: Buffer.from('The plan\r\n'.repeat(500)) }];
const operator = (key: string): Caller => ({ authorization: asOperator, key });

/**
 * The same message sent several times at once: at either door and with the key in the header or the input, as
 * the seed decides.
 */
function sayAtOnce(
  url: string,
  message: (n: number) => Message,
  count: number,
  key: string,
  seed: number,
): Promise<Answer[]> {
  const random = seeded(seed);
  const calls = Array.from({ length: count }, (_, n) => ({
    door: (random() < 0.5 ? 'graphql' : 'legacy') as Door,
    keyAsField: random() < 0.5,
    message: message(n),
  }));
  return Promise.all(
    calls.map(({ door, keyAsField, message }) => say(url, door, message, { ...operator(key), keyAsField })),
  );
}

/** @throws when a call fails. @returns the distinct ids, and how many calls were not replays */
function summary(answers: readonly Answer[]): { ids: number[]; first: number } {
  const added = answers.map((answer) => {
    if (answer.kind !== 'added') throw new Error(JSON.stringify(answer));
    return answer;
  });
  return {
    ids: [...new Set(added.map(({ messageId }) => messageId))],
    first: added.filter(({ replayed }) => !replayed).length,
  };
}

const more = async (before: Record<string, number>) => {
  const after = await gateway.counts();
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - before[name]!]));
};

const meanings = [
  [2, 50, { ticket: 'INC-000012', body: 'Once, with a file', email: {}, files }],
  [1, 50, { ticket: 'INC-000047', body: 'Once, by mail', email: { cc: ['cc@domain.com'] } }],
  [3, 50, { ticket: 'INC-000003', body: 'Once, a note', private: true, files }],
  [4, 100, { ticket: 'INC-000047', body: 'A hundred at once', email: { bcc: ['bcc@domain.com'] } }],
] as const;
for (const [seed, most, message] of sampled(meanings, 4)) {
  const count = soaking ? most : 20;
  test(`${count} calls of one key over both doors do it once (seed ${seed}: ${message.body})`, async () => {
    const before = await gateway.counts();
    const sent = gateway.sink.mails.length;
    const key = `the-key-${seed}`;
    const answers = await sayAtOnce(gateway.url, () => message, count, key, seed);
    const { ids, first } = summary(answers);
    expect(ids).toHaveLength(1);
    expect(first).toBe(1);

    const mails = 'email' in message ? 1 : 0;
    const attached = 'files' in message ? message.files.length : 0;
    expect(await more(before)).toMatchObject({ messages: 1, keys: 1, deliveries: mails });
    const again = summary([await say(gateway.url, 'legacy', message, operator(key))]);
    expect(again).toEqual({ ids, first: 0 });
    const { messages, attachments, blobs } = await more(before);
    expect({ messages, attachments, blobs }).toEqual({ messages: 1, attachments: attached, blobs: attached });
    await gateway.sink.received(sent + mails);
    // A second mail would come by the same worker right behind the first.
    await expect.poll(() => statesFrom(before)).toEqual(Array.from({ length: mails }, () => 'SENT'));
    expect(gateway.sink.mails).toHaveLength(sent + mails);
  });
}

/** Of the mails that have been added since the rows were counted. */
const statesFrom = async ({ deliveries }: Record<string, number>) => {
  const rows = await gateway.sql<{ state: string }[]>`
    select state from deliveries order by id offset ${deliveries!}`;
  return rows.map(({ state }) => state);
};

test('a call that an earlier version accepted is recognised: fingerprints never change', async () => {
  const fingerprintOf = async (key: string, message: Message) => {
    summary([await say(gateway.url, 'graphql', message, operator(key))]);
    const [row] = await gateway.sql<{ hex: string }[]>`
      select encode(fingerprint, 'hex') as hex from idempotency_keys where key = ${key}`;
    return row!.hex;
  };
  expect(await fingerprintOf('plain', { ticket: 'INC-000047', body: 'plain' })).toBe(
    '7e71ef66a3924f01eb1cd3d8eb6c7dfe86a354f8b1518198a67e6c49a4325d83',
  );
  const mailed = { ticket: 'INC-000012', body: 'mailed', email: { cc: ['cc@domain.com'] }, files };
  expect(await fingerprintOf('mailed', mailed)).toBe(
    '67d85e6a9abcecd319268392264a432532a52366c75805664930c02b930a451b',
  );
});

test('of two meanings that come at once under one key, one is done and the other refused', async () => {
  const before = await gateway.counts();
  const seeds = sampled([1, 2, 3, 4], 4);
  for (const [at, seed] of seeds.entries()) {
    const key = `two-meanings-${seed}`;
    const meaning = (n: number) => ({ ticket: 'INC-000047', body: `meaning ${n % 2} of ${seed}` });
    const answers = await sayAtOnce(gateway.url, meaning, soaking ? 40 : 20, key, seed);
    const done = answers.findIndex((answer) => answer.kind === 'added' && !answer.replayed);
    expect(summary(answers.filter((_, n) => n % 2 === done % 2))).toMatchObject({ first: 1 });
    const refused = answers.filter((_, n) => n % 2 !== done % 2);
    for (const answer of refused)
      expect(['IDEMPOTENCY_KEY_REUSED', '422']).toContain(answer.kind === 'refused' && answer.code);
    expect(await more(before)).toMatchObject({ messages: at + 1, keys: at + 1 });
  }
});

test('a used key with another body, ticket, file or recipient is refused at both doors', async () => {
  const unused = await gateway.counts();
  const message: Message = { ticket: 'INC-000047', body: 'The first', email: {}, files };
  summary([await say(gateway.url, 'graphql', message, operator('used'))]);
  await expect.poll(() => statesFrom(unused)).toEqual(['SENT']);
  const before = await gateway.counts();
  for (const other of [
    { ...message, body: 'Another' },
    { ...message, ticket: 'INC-000046' },
    { ...message, files: [{ ...files[0]!, bytes: Buffer.from('Another') }] },
    { ...message, files: [{ ...files[0]!, name: 'another.txt' }] },
    { ...message, email: { bcc: ['another@domain.com'] } },
    { ticket: 'INC-000047', body: 'The first', private: true, files },
  ]) {
    expect(await say(gateway.url, 'graphql', other, operator('used'))).toEqual({
      kind: 'refused',
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect(await say(gateway.url, 'legacy', other, operator('used'))).toEqual({
      kind: 'refused',
      code: '422',
    });
  }
  expect(await more(before)).toEqual(Object.fromEntries(Object.keys(before).map((k) => [k, 0])));
});

test('a key is its user’s own: what another user says under it is done', async () => {
  const message = { ticket: 'INC-000047', body: 'Mine' };
  const first = summary([await say(gateway.url, 'graphql', message, operator('shared'))]);
  const caller = { authorization: asRequester, key: 'shared' };
  const theirs = summary([await say(gateway.url, 'legacy', { ...message, body: 'Theirs' }, caller)]);
  expect(theirs.first).toBe(1);
  expect(theirs.ids).not.toEqual(first.ids);
});

const doors = ['graphql', 'legacy'] as const;
const byBothDoors = (url: string, message: Message, caller: Caller) =>
  Promise.all(doors.map((door) => say(url, door, message, caller)));
const refusedWith = (code: string, status: string) =>
  [code, status].map((each) => ({ kind: 'refused', code: each }));

test('a used key is refused alike with a ticket that is hidden from its user and with none', async () => {
  const caller = { authorization: asRequester, key: 'hidden-ticket' };
  const message = { ticket: 'INC-000047', body: 'Under a key' };
  summary([await say(gateway.url, 'graphql', message, caller)]);
  const before = await gateway.counts();
  for (const ticket of ['INC-000001', 'INC-999999'])
    for (const body of [message.body, 'Another'])
      expect(await byBothDoors(gateway.url, { ticket, body }, caller)).toEqual(
        refusedWith('IDEMPOTENCY_KEY_REUSED', '422'),
      );
  expect(await gateway.counts()).toEqual(before);
  // Without the key, neither ticket is found.
  for (const ticket of ['INC-000001', 'INC-999999'])
    expect(await byBothDoors(gateway.url, { ...message, ticket }, { authorization: asRequester })).toEqual(
      refusedWith('TICKET_NOT_FOUND', '400'),
    );
});

test('a former operator who repeats a call learns nothing of tickets that are hidden now', async () => {
  const begin = Date.now();
  let aheadMs = 0;
  await using desk = await startGateway({
    env: { ROLES: 'web' },
    overrides: { now: () => new Date(begin + aheadMs) },
  });
  const note = { ticket: 'INC-000003', body: 'A note', private: true };
  const reply = { ticket: 'INC-000047', body: 'A reply' };
  summary([await say(desk.url, 'graphql', note, operator('note'))]);
  summary([await say(desk.url, 'graphql', reply, operator('reply'))]);
  await desk.sql`update users set role = 'REQUESTER' where id = 1`;
  await desk.sql`update tickets set requester_id = 1 where id = 3`;
  // The credential is looked up again by now.
  aheadMs = 60_000;
  const counts = await desk.counts();
  const repeated = (message: Message, key: string) => byBothDoors(desk.url, message, operator(key));
  // Their own ticket, whose private messages only operators see.
  expect(await repeated(note, 'note')).toEqual(refusedWith('FORBIDDEN', '400'));
  expect(await repeated({ ...note, body: 'Other' }, 'note')).toEqual(
    refusedWith('IDEMPOTENCY_KEY_REUSED', '422'),
  );
  // Somebody else's ticket: the first call's, another one, or none, with the first call's text or another.
  for (const ticket of ['INC-000047', 'INC-000001', 'INC-999999'])
    for (const body of [reply.body, 'Other'])
      expect(await repeated({ ticket, body }, 'reply')).toEqual(refusedWith('TICKET_NOT_FOUND', '400'));
  expect(await repeated({ ...reply, ticket: 'INC-000003' }, 'reply')).toEqual(
    refusedWith('IDEMPOTENCY_KEY_REUSED', '422'),
  );
  expect(await desk.counts()).toEqual(counts);
});

test('a refusal is not kept: the same key does it once the input is good', async () => {
  const good = { ticket: 'INC-000047', body: 'Good' };
  for (const door of ['graphql', 'legacy'] as const) {
    const key = `after-refusal-${door}`;
    for (const bad of [
      { ...good, body: '  ' },
      { ...good, ticket: 'INC-999999' },
    ])
      expect(await say(gateway.url, door, bad, operator(key))).toMatchObject({ kind: 'refused' });
    expect(summary([await say(gateway.url, door, good, operator(key))]).first).toBe(1);
    expect(summary([await say(gateway.url, door, good, operator(key))]).first).toBe(0);
  }
});

test('a key whose message was deleted is used; once the key has expired as well, it is done', async () => {
  const key = 'of a deleted message';
  await gateway.sql`
    insert into idempotency_keys (user_id, key, fingerprint, message_id)
    select id, ${key}, '\\x00', 0 from users where login = 'operator'`;
  const call = () => say(gateway.url, 'graphql', { ticket: 'INC-000047', body: 'Anew' }, operator(key));
  expect(await call()).toMatchObject({ kind: 'refused', code: 'IDEMPOTENCY_KEY_REUSED' });
  await gateway.sql`delete from idempotency_keys where key = ${key}`;
  expect(await call()).toMatchObject({ kind: 'added', replayed: false });
});

test('many that wait for one key hold up nobody else, however long the first takes', async () => {
  await using small = await startGateway({ env: { ROLES: 'web', DATABASE_POOL: '3' } });
  const { sql, url } = small;
  // Other users' calls have been here before: passwords are hashed once and that is not what is measured.
  summary([
    await say(url, 'legacy', { ticket: 'INC-000002', body: 'Before' }, { authorization: asRequester }),
  ]);
  const random = seeded(5);
  const waiting: Promise<Answer>[] = [];
  let first: Promise<unknown> | undefined;
  await sql.begin(async (tx) => {
    await tx`select from tickets where id = 47 for update`;
    for (let n = 0; n < (soaking ? 50 : 20); n += 1) {
      const door = random() < 0.5 ? 'graphql' : 'legacy';
      waiting.push(say(url, door, { ticket: 'INC-000047', body: 'Waited for' }, operator('slow')));
    }
    first = Promise.race(waiting);
    await expect.poll(() => countWaiting(sql)).toBe(1);
    for (let n = 0; n < 10; n += 1) {
      const door = between(random, 0, 1) === 0 ? 'graphql' : 'legacy';
      const caller = { authorization: asRequester, key: `other-${n}` };
      summary([await say(url, door, { ticket: 'INC-000002', body: `Other ${n}` }, caller)]);
      const read = await small.graphql<{ ticket: object }>(
        '{ ticket(by: { ticketId: 47 }) { messageCount } }',
      );
      expect(read.errors).toBeUndefined();
    }
    // All of these were answered before any of those could be.
    expect(await Promise.race([first, 'nobody yet'])).toBe('nobody yet');
  });
  expect(summary(await Promise.all(waiting))).toMatchObject({ ids: [expect.any(Number)], first: 1 });
});
