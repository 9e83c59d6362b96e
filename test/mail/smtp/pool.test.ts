import { expect, test } from 'vitest';
import { createSmtpPool } from '../../../src/mail/smtp/pool.ts';
import { defaultTimeouts } from '../../../src/mail/smtp/server-settings.ts';

const mail = {
  envelope: { from: 'desk@example.com', to: ['jane@example.com'] },
  byteSize: 1,
  hasUtf8Headers: false,
  openBody: () => expect.unreachable('a mail was begun'),
  bytes: () => expect.unreachable('a mail was read'),
};

test('a mail that cannot begin rejects with its error, and leaves its connection to the next', async () => {
  const server = { host: '127.0.0.1', port: 1, secure: false, startTls: 'never' } as const;
  const pool = createSmtpPool({ ...server, user: undefined, password: undefined }, 1, defaultTimeouts);
  const begun: string[] = [];
  const first = pool.send(mail, () => {
    begun.push('first');
    throw new Error('its file is gone');
  });
  const second = pool.send(mail, () => begun.push('second') === 0);
  await expect(first).rejects.toThrow('its file is gone');
  await expect(second).resolves.toBeUndefined();
  expect(begun).toEqual(['first', 'second']);
});
