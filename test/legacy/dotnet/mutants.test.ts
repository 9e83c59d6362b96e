import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOperator, type Gateway, startGateway } from '../../support/gateway.ts';
import { call } from '../stand-in.ts';
import { mutant, mutantCount } from './mutants.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

test('random mutations are accepted or refused, and what is refused leaves no row', {
  timeout: 1_200_000,
}, async () => {
  const port = Number(new URL(gateway.url).port);
  const statuses = new Map<number, number>();
  let messages = (await gateway.counts()).messages!;
  await fc.assert(
    fc.asyncProperty(mutant, async ({ format, body }) => {
      const headers = { 'Content-Type': `application/${format}`, Authorization: asOperator };
      const { status, body: answer } = await call(port, { headers, body });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      expect(status).toBeLessThan(500);
      if (status === 200) messages++;
      else expect(answer.toString()).toMatch(/Message/);
      const [row] = await gateway.sql`select count(*)::int as messages from messages`;
      expect(row!.messages).toBe(messages);
    }),
    { numRuns: mutantCount },
  );
  const calls = [...statuses.values()].reduce((a, b) => a + b, 0);
  const accepted = (statuses.get(200) ?? 0) / calls;
  const table = [...statuses].sort().map(([status, count]) => `${count} × ${status}`);
  process.stdout.write(`mutants: ${calls}: ${table.join(', ')}; ${(accepted * 100).toFixed(0)} % accepted\n`);
  expect(accepted).toBeGreaterThan(0.1);
  // No file is left that no row names, and none of a refused request.
  const { attachments, blobs } = await gateway.counts();
  expect(blobs).toBe(attachments);
});
