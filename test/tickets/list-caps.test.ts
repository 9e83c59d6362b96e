import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { add, ask } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const from = 'company@domain.com';
const many = <T>(count: number, item: (n: number) => T) => Array.from({ length: count }, (_, n) => item(n));

describe.each([
  [
    'attachments',
    (n: number) => ({ attachments: many(n, (i) => ({ upload: btoa(`Upload:${i}`) })) }),
    20,
    ['attachments'],
  ],
  ['cc', (n: number) => ({ email: { from, cc: many(n, (i) => `a${i}@b.cz`) } }), 50, ['email']],
  ['bcc', (n: number) => ({ email: { from, bcc: many(n, (i) => `a${i}@b.cz`) } }), 50, ['email']],
  [
    'cancelIf',
    (n: number) => ({ email: { from, holdSeconds: 60, cancelIf: many(n, () => 'REQUESTER_REPLIED') } }),
    2,
    ['email', 'cancelIf'],
  ],
] as const)('the list %s', (_, input, limit, path) => {
  test.each([limit + 1, 10_000])(
    `is refused with %i items, by a refusal of its path and a few problems`,
    async (count) => {
      const before = await gateway.counts();
      const result = await add(gateway, input(count));
      expect(result).toMatchObject({ code: 'INVALID_INPUT' });
      expect(result.problems).toContainEqual({ path, message: expect.stringContaining(String(limit)) });
      expect(result.problems!.length).toBeLessThanOrEqual(100);
      expect(await gateway.counts()).toEqual(before);
    },
  );
});

test('a reason to cancel is named once at most', async () => {
  const cancelIf = ['REQUESTER_REPLIED', 'REQUESTER_REPLIED'];
  const result = await add(gateway, { email: { from, holdSeconds: 60, cancelIf } });
  expect(result).toMatchObject({ code: 'INVALID_INPUT', path: ['email', 'cancelIf'] });
});

test('null means the default in every such field, and is the same call to an idempotency key', async () => {
  const nulls = { format: null, visibility: null, isMobileDevice: null, attachments: null };
  const emailNulls = { cc: null, bcc: null, cancelIf: null, quote: null, holdSeconds: null, sendAt: null };
  const key = { idempotencyKey: 'null-is-default' };
  const first = await add(gateway, { ...key, email: { from } });
  const defaults = {
    ...{ format: 'TEXT', visibility: 'PUBLIC', isMobileDevice: false, attachments: [] },
    email: { from, cc: [], bcc: [], cancelIf: [], quote: 'NONE' },
  };
  for (const input of [{ ...nulls, email: { from, ...emailNulls } }, defaults]) {
    const again = await add(gateway, { ...key, ...input });
    expect(again).toMatchObject({ ticketMessage: { id: first.ticketMessage.id } });
  }
  const written = await ask<object>(
    gateway,
    `query ($id: ID!) { node(id: $id) { ... on TicketMessage { format visibility isMobileDevice ` +
      `attachments { id } delivery { cc bcc } } } }`,
    { id: first.ticketMessage.id },
  );
  expect(written).toEqual({
    ...{ format: 'TEXT', visibility: 'PUBLIC', isMobileDevice: false, attachments: [] },
    delivery: { cc: [], bcc: [] },
  });
});
