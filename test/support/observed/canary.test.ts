import { expect, test } from 'vitest';
import { basic } from '../gateway.ts';
import { Canary } from './canary.ts';

test.each([
  ['a password', (canary: Canary) => canary.sent(basic('somebody', 'secret-of-theirs'), {})],
  ['a body', (canary: Canary) => canary.sent(null, { input: { body: 'somebody:secret-of-theirs' } })],
])('%s that comes into the log is found at the end of a gateway', (_, send) => {
  const canary = new Canary();
  send(canary);
  canary.log.info({ operation: 'Fine' }, 'request');
  expect(() => canary.assertSilent()).not.toThrow();
  canary.log.warn({ why: 'somebody:secret-of-theirs' }, 'careless');
  expect(() => canary.assertSilent()).toThrow(/what a caller sent/);
});
