import { expect, test } from 'vitest';
import { basic } from '../gateway.ts';
import { Canary } from './canary.ts';

const secret = 'somebody:secret-of-theirs';
const write: Record<string, (canary: Canary) => void> = {
  log: ({ log }) => log.warn({ why: secret }, 'careless'),
  metrics: (canary) => canary.wrote('metrics', `requests_total{login="${secret}"} 1`),
  traces: (canary) => canary.wrote('traces', JSON.stringify({ attributes: [{ value: secret }] })),
  errors: (canary) => canary.wrote('errors', JSON.stringify([{ message: `wrong: ${secret}` }])),
};

test.each([
  ['a password', (canary: Canary) => canary.sent(basic('somebody', 'secret-of-theirs'), {})],
  ['a body', (canary: Canary) => canary.sent(null, { input: { body: secret } })],
  ['a key among the settings', (canary: Canary) => canary.set({ S3_SECRET_KEY: secret })],
  ['a password in a URL', (canary: Canary) => canary.set({ SMTP_URL: `smtp://me:${secret}@mail.test` })],
])('%s that is written anywhere is found at the end of a gateway', (_, send) => {
  for (const [place, careless] of Object.entries(write)) {
    const canary = new Canary();
    send(canary);
    canary.log.info({ operation: 'Fine' }, 'request');
    expect(() => canary.assertSilent()).not.toThrow();
    careless(canary);
    expect(() => canary.assertSilent()).toThrow(`the ${place} of a gateway have`);
  }
});
