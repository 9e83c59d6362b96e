import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { typeCommand } from '../../cli/command-line.ts';
import { basic } from '../gateway.ts';
import { sendRaw } from '../raw-http.ts';
import { Canary } from './canary.ts';
import { watchReplies } from './replies.ts';

const secret = 'somebody:secret-of-theirs';
const write: Record<string, (canary: Canary) => void> = {
  log: ({ log }) => log.warn({ why: secret }, 'careless'),
  metrics: (canary) => canary.wrote('metrics', `requests_total{login="${secret}"} 1`),
  traces: (canary) => canary.wrote('traces', JSON.stringify({ attributes: [{ value: secret }] })),
  errors: (canary) => canary.wrote('errors', JSON.stringify([{ message: `wrong: ${secret}` }])),
  replies: (canary) => canary.wrote('replies', `<p>${secret}</p>`),
  output: (canary) => canary.wrote('output', `On ${secret}`),
};

test.each([
  ['a password', (canary: Canary) => canary.sent(basic('somebody', 'secret-of-theirs'), {})],
  ['a password by itself', (canary: Canary) => canary.sent(basic('somebody', secret), {})],
  ['a part of a JWT', (canary: Canary) => canary.sent(`Bearer e30.${secret}.sig`, {})],
  ['a body', (canary: Canary) => canary.sent(null, { input: { body: secret } })],
  ['a key among the settings', (canary: Canary) => canary.set({ S3_SECRET_KEY: secret })],
  ['a password in a URL', (canary: Canary) => canary.set({ SMTP_URL: `smtp://me:${secret}@mail.test` })],
])('%s that is written anywhere is found at the end of a gateway', (what, send) => {
  for (const [place, careless] of Object.entries(write)) {
    const canary = new Canary();
    send(canary);
    canary.log.info({ operation: 'Fine' }, 'request');
    expect(() => canary.assertSilent()).not.toThrow();
    careless(canary);
    // A reply may repeat what its caller said, and a command may print a body. No secret may be in either.
    const mayQuote = what === 'a body' && (place === 'replies' || place === 'output');
    if (mayQuote) canary.assertSilent();
    else expect(() => canary.assertSilent()).toThrow(`what is in the ${place}`);
  }
});

test('a login and the signature of a URL may be in replies, and nowhere else', () => {
  const give: Record<string, (canary: Canary) => void> = {
    'jane.requester': (canary) => canary.sent(basic('jane.requester', 'p'), {}),
    'c2lnbmF0dXJl-_1': (canary) => canary.gave('{"url":"/attachments/1?viewer=1&signature=c2lnbmF0dXJl-_1"}'),
  };
  for (const [text, giving] of Object.entries(give)) {
    const canary = new Canary();
    giving(canary);
    canary.wrote('replies', text);
    canary.assertSilent();
    canary.log.info({ path: text }, 'request');
    expect(() => canary.assertSilent()).toThrow('what is in the log');
  }
});

test('replies are heard whoever asks: by fetch, with its credential, and by raw bytes', async () => {
  const server = createServer((req, res) => {
    res.setHeader('X-Heard', String(req.headers['x-say'] ?? 'nothing'));
    res.end(`You are ${req.headers.authorization}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask: Record<string, () => Promise<unknown>> = {
    fetch: async () => (await fetch(url, { headers: { Authorization: `Bearer ${secret}` } })).text(),
    header: async () => (await fetch(url, { headers: { 'X-Say': secret } })).text(),
    bytes: () =>
      sendRaw(url, `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ${secret}\r\nConnection: close\r\n\r\n`),
  };
  for (const asked of Object.values(ask)) {
    const canary = new Canary();
    using _ = watchReplies(url, canary);
    await (await fetch(url)).text();
    canary.secret(secret);
    canary.assertSilent();
    await asked();
    expect(() => canary.assertSilent()).toThrow('what is in the replies');
  }
  server.close();
  server.closeAllConnections();
});

test('a command that prints a secret it was given fails', async () => {
  const printing = { open: () => Promise.reject(new Error(`cannot reach ${secret}`)) };
  await expect(typeCommand(['user', 'list'], printing)).resolves.toMatchObject({ code: 1 });
  const given = { ...printing, env: { DATABASE_URL: `postgres://me:${secret}@db/desk` } };
  await expect(typeCommand(['user', 'list'], given)).rejects.toThrow('what is in the output');
});
