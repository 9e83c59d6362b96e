import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { readExtensions } from '../../../src/mail/smtp/extensions.ts';
import { defaultTimeouts } from '../../../src/mail/smtp/server-settings.ts';
import { SmtpSession } from '../../../src/mail/smtp/session.ts';

/** A server that says exactly this to EHLO and HELO. */
async function startGreeter(answers: Readonly<Record<string, string>>) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.write('220 mail.example.com\r\n');
    socket.on('data', (line) => socket.write(`${answers[String(line).slice(0, 4)] ?? '500 what'}\r\n`));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const session = (port: number) =>
  new SmtpSession(
    { host: '127.0.0.1', port, secure: false, startTls: 'never', user: undefined, password: undefined },
    defaultTimeouts,
  );
/** The outcome of a mail with letters beyond ASCII in its headers. Nothing else is sent. */
const fits = async (to: SmtpSession, byteSize: number, hasUtf8Headers: boolean) =>
  (
    await to.send({
      ...{ envelope: { from: 'a@example.com', to: ['b@example.com'] }, byteSize, hasUtf8Headers },
      openBody: async () => false,
      async *bytes() {},
    })
  ).reply;

test('what a server offers is read from its answer to EHLO', async () => {
  await using server = await startGreeter({
    EHLO: '250-mail.example.com SIZE 7\r\n250-size 1000\r\n250-8BITMIME\r\n250 SMTPUTF8',
  });
  const connected = session(server.port);
  await connected.connect();
  expect(connected.sizeLimit).toBe(1000);
  expect(await fits(connected, 1001, true)).toContain('1000 at most');
  connected.close();
});

test('a server that knows but HELO offers nothing', async () => {
  await using server = await startGreeter({ EHLO: '502 what', HELO: '250 mail.example.com SIZE 7 SMTPUTF8' });
  const connected = session(server.port);
  await connected.connect();
  expect(connected.sizeLimit).toBeUndefined();
  expect(await fits(connected, 10, true)).toContain('SMTPUTF8');
  connected.close();
});

test.each<[string, string | false, object]>([
  ['nothing', false, { smtpUtf8: false, sizeLimit: undefined }],
  ['no limit', '250-x\r\n250 SIZE 0', { smtpUtf8: false, sizeLimit: undefined }],
  ['a limit without a number', '250-x\r\n250-SIZE\r\n250 SMTPUTF8', { smtpUtf8: true, sizeLimit: undefined }],
  ['an equals sign', '250-x\n250 SIZE=1024', { smtpUtf8: false, sizeLimit: 1024 }],
  [
    'a word that begins alike',
    '250-x\r\n250-SIZES 5\r\n250 XSMTPUTF8',
    { smtpUtf8: false, sizeLimit: undefined },
  ],
  ['a number beyond all', `250-x\r\n250 SIZE ${'9'.repeat(99)}`, { smtpUtf8: false, sizeLimit: undefined }],
])('%s', (_what, answer, offers) => {
  expect(readExtensions(answer)).toEqual(offers);
});
