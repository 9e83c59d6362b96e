import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../../src/auth/tokens.ts';
import { asOperator, type Call, type Gateway, startGateway } from '../../support/gateway.ts';
import { add, ask, upload } from '../calls.ts';

/*
 * Calls that are repeated. A repeated key returns the first result for as long as the key is kept, whatever
 * has become of the limits, the uploads and the credential since.
 */

let first: Gateway;
let narrowed: Gateway;
beforeAll(async () => {
  first = await startGateway({ env: { ROLES: 'web' } });
  const env = { MAX_BODY_BYTES: '200', MAX_MESSAGE_ATTACHMENTS_BYTES: '500' };
  narrowed = await startGateway({ env: { ...env, ROLES: 'web' }, database: first.database });
});
afterAll(async () => {
  await narrowed[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
});

interface Answer {
  code?: string;
  replayed?: boolean;
  ticketMessage?: { messageId: number };
  warnings?: { code: string }[];
}

const call = (gateway: Gateway, input: object, { files = [], ...more }: Call = {}): Promise<Answer> =>
  ask<Answer>(
    gateway,
    `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
      ... on AddTicketMessagePayload { replayed ticketMessage { messageId } warnings { code } }
      ... on UserError { code } } }`,
    { input: { ticket: { ticketId: 47 }, ...input } },
    { files, ...more },
  );

const text = (name: string, content = name) => new File([content], name, { type: 'text/plain' });
const long = 'word '.repeat(100);
const picture = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';

const calls: Record<string, object> = {
  'a body that is too long now': { body: long },
  'an HTML body that is too long now, with a file, a picture and a warning': {
    ...{ body: `<p onclick="a()">${long}<img src="${picture}"></p>`, format: 'HTML' },
    attachments: [{ file: null }],
  },
  'a mail that is too long now': {
    body: long,
    email: { from: 'company@domain.com', holdSeconds: 3600, cc: ['cc@domain.com', 'CC@domain.com'] },
  },
};

for (const [name, input] of Object.entries(calls))
  test(`${name}: the call is answered with its first result, and another input is refused`, async () => {
    const keyed = { ...input, idempotencyKey: name };
    const more = 'attachments' in input ? { files: [text('a.txt')] } : {};
    const added = await call(first, keyed, more);
    expect(added.replayed).toBe(false);
    const before = await first.counts();
    expect(await call(narrowed, keyed, more)).toEqual({ ...added, replayed: true });
    const other = { ...keyed, isMobileDevice: true };
    expect(await call(narrowed, other, more)).toEqual({ code: 'IDEMPOTENCY_KEY_REUSED' });
    // Without the key it is a new message, to which the limits apply.
    expect(await call(narrowed, input, more)).toEqual({ code: 'INVALID_INPUT' });
    expect(await first.counts()).toEqual(before);
  });

test('uploads that are too large together now: the same', async () => {
  const large = await upload(first, text('large.txt', 'x'.repeat(600)), asOperator);
  const keyed = { body: 'Uploads', attachments: [{ upload: large.upload }], idempotencyKey: 'together' };
  const added = await call(first, keyed);
  expect(added.replayed).toBe(false);
  expect(await call(narrowed, keyed)).toEqual({ ...added, replayed: true });
});

test('an upload that has expired is still known to the call that attached it, and to no other', async () => {
  const uploaded = await upload(first, text('later.txt'), asOperator);
  const keyed = { body: 'Uploaded', attachments: [{ upload: uploaded.upload }], idempotencyKey: 'expired' };
  const added = await call(first, keyed);
  expect(added.replayed).toBe(false);
  await first.sql`update uploads set created_at = created_at - interval '25 hours'`;
  expect(await call(first, keyed)).toEqual({ ...added, replayed: true });
  await first.sql`delete from uploads`;
  expect(await call(first, keyed)).toEqual({ ...added, replayed: true });
  expect(await call(first, { ...keyed, body: 'Other' })).toEqual({ code: 'IDEMPOTENCY_KEY_REUSED' });
  expect(await call(first, { ...keyed, idempotencyKey: 'another' })).toEqual({ code: 'INVALID_INPUT' });
});

test('a credential that may not write is told so, and not that the key was used otherwise', async () => {
  const keyed = { body: 'By another credential', idempotencyKey: 'credential' };
  const added = await call(first, keyed);
  const bearer = async (scopes: ('read' | 'write')[]) => {
    const { token } = await createToken(first.database.database.desk, { userId: 1, name: 't', scopes });
    return { authorization: `Bearer ${token}` };
  };
  expect(await call(first, keyed, await bearer(['read', 'write']))).toEqual({ ...added, replayed: true });
  expect(await call(first, keyed, await bearer(['read']))).toEqual({ code: 'FORBIDDEN' });
  const other = { ...keyed, body: 'Other' };
  expect(await call(first, other, await bearer(['read']))).toEqual({ code: 'IDEMPOTENCY_KEY_REUSED' });
});

test('a deadlock, then a serialization failure, are retried inside: one message, no error', async () => {
  await first.sql.unsafe(`
    create sequence faults;
    grant usage on sequence faults to public;
    create function fault() returns trigger language plpgsql as $$
      declare nth bigint := nextval('faults');
      begin
        if nth = 1 then raise exception 'planted' using errcode = '40P01'; end if;
        if nth = 2 then raise exception 'planted' using errcode = '40001'; end if;
        return new;
      end $$;
    create trigger fault before insert on messages for each row execute function fault()`);
  const before = await first.counts();
  const added = await add(first, { ticket: { ticketId: 47 }, body: 'Once.' });
  expect(added.ticketMessage).toBeDefined();
  expect(await first.counts()).toMatchObject({
    messages: before.messages! + 1,
    events: before.events! + 1,
  });
  expect(await first.sql`select last_value::int as tries from faults`).toMatchObject([{ tries: 3 }]);
  await first.sql`drop trigger fault on messages`;
});
