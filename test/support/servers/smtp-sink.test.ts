import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport, type SentMessageInfo } from 'nodemailer';
import { afterEach, expect, test } from 'vitest';
import { soaking } from '../../support/soak.ts';
import { eventually } from '../eventually.ts';
import { type Fault, type Step, startSmtpSink } from './smtp-sink.ts';
import { readJournal, startSinkProcess } from './smtp-sink-process.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function send(url: string, to = ['a@x.test', 'b@x.test'], options: object = {}): Promise<SentMessageInfo> {
  const transport = createTransport({ url, ...options } as object);
  cleanups.push(() => transport.close());
  const body = { from: 'desk@x.test', to, subject: 'S', text: `.\r\n${'x'.repeat(5000)}\r\n` };
  return transport.sendMail({ ...body, messageId: '<one@x.test>' });
}

/** For servers that say nothing more. */
const impatient = { socketTimeout: 100, greetingTimeout: 100 };

test('it records envelope and source', async () => {
  await using sink = await startSmtpSink();
  await send(sink.url);
  const [mail] = await sink.received(1);
  expect(mail).toMatchObject({ from: 'desk@x.test', to: ['a@x.test', 'b@x.test'], secure: false });
  expect(mail!.source.toString()).toMatch(/Message-ID: <one@x.test>\r\n[\s\S]*\r\n\r\n\.\r\nx{20}/);
});

const commands: Step[] = ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'DOT'];
test.each(commands)('it defers, refuses, drops and hangs at %s, then accepts', async (at) => {
  await using sink = await startSmtpSink();
  for (const reply of ['451 4.3.0 later', '554 5.7.1 never']) {
    sink.setFaults([{ at, reply }]);
    const error = await send(sink.url).catch((e) => e);
    // nodemailer falls back to HELO when EHLO is refused.
    if (at !== 'EHLO') expect(error, reply).toMatchObject({ responseCode: Number(reply.slice(0, 3)) });
  }
  const taken = sink.mails.length;
  for (const answer of ['drop', 'hang'] as const) {
    sink.setFaults([{ at, answer }]);
    await expect(send(sink.url, undefined, impatient), answer).rejects.toThrow();
  }
  expect(sink.mails.length).toBe(taken);
  sink.setFaults([]);
  await send(sink.url);
  expect(sink.mails.length).toBe(taken + 1);
});

test('one recipient alone can be refused, a number of times', async () => {
  await using sink = await startSmtpSink({
    faults: [{ at: 'RCPT', address: 'b@x.test', reply: '550 5.1.1 unknown', times: 1 }],
  });
  expect(await send(sink.url)).toMatchObject({ accepted: ['a@x.test'], rejected: ['b@x.test'] });
  expect(await send(sink.url)).toMatchObject({ accepted: ['a@x.test', 'b@x.test'] });
  expect(sink.mails.map(({ to }) => to)).toEqual([['a@x.test'], ['a@x.test', 'b@x.test']]);
});

test.each([
  ['in mid body nothing is taken', { at: 'BODY', afterBytes: 1000, answer: 'drop' }, 0],
  ['after it was taken, but before the 250, it is', { at: 'REPLY', answer: 'drop' }, 1],
] satisfies [string, Fault, number][])('cut %s', async (_name, fault, taken) => {
  await using sink = await startSmtpSink({ faults: [fault] });
  await expect(send(sink.url)).rejects.toThrow();
  expect(sink.mails.length).toBe(taken);
});

test('it asks for a password, and speaks TLS both ways', async () => {
  const auth = { user: 'desk', pass: 'secret' };
  for (const tls of ['starttls', 'implicit'] as const) {
    await using sink = await startSmtpSink({ tls, auth });
    const client = { tls: { rejectUnauthorized: false }, requireTLS: true };
    await send(sink.url, undefined, { ...client, auth });
    await expect(send(sink.url, undefined, { ...client, auth: { ...auth, pass: 'no' } })).rejects.toThrow(
      '535',
    );
    expect(sink.mails).toMatchObject([{ secure: true, user: 'desk' }]);
    await expect(send(sink.url, undefined, { requireTLS: true, auth })).rejects.toThrow(/certificate/);
  }
});

test.runIf(soaking)('in a process of its own, it keeps a journal that survives kill -9', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sink-'));
  cleanups.push(() => rm(directory, { recursive: true }));
  const journal = join(directory, 'journal');
  const first = await startSinkProcess(journal);
  await send(first.url);
  first.setFaults([{ at: 'REPLY', answer: 'hang' }]);
  const hung = send(first.url).catch((error) => error);
  await eventually(() => readJournal(journal).length === 2);
  await first[Symbol.asyncDispose]();
  await using _second = await startSinkProcess(journal, { port: first.port });
  expect(await hung).toBeInstanceOf(Error);
  await send(first.url);
  expect(readJournal(journal)).toMatchObject(
    Array.from({ length: 3 }, () => ({ messageId: '<one@x.test>', to: ['a@x.test', 'b@x.test'] })),
  );
});
