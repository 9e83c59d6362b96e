import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inboxMails } from '../../../src/db/tables.ts';
import { FaultAddresses } from '../../../src/dev/inbox/smtp/fault-addresses.ts';
import { startInbox } from '../../../src/dev/inbox/smtp/server.ts';
import { findInboxMail, listInboxMails } from '../../../src/dev/inbox/store.ts';
import { countWaiting, createTestDatabase, type TestDatabase } from '../../support/database.ts';

/** An inbox on the database that all tests share, and a client of it. */
async function startWorld(options: { maxBytes?: number } = {}) {
  const db = own.database.desk;
  const inbox = await startInbox(db, options);
  const transport = createTransport({ url: inbox.url, ignoreTLS: true });
  return {
    db,
    inbox,
    send: (to: string | string[], more: object = {}) =>
      transport.sendMail({ from: 'Desk <company@domain.com>', to, subject: 'Hi', text: 'Hello', ...more }),
    [Symbol.asyncDispose]: () => inbox[Symbol.asyncDispose](),
  };
}

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own[Symbol.asyncDispose]());
beforeEach(async () => {
  await own.database.desk.delete(inboxMails);
});

/** An SMTP dialogue by hand, for what no library does. */
async function openDialogue(port: number) {
  const socket: Socket = connect(port, '127.0.0.1');
  let seen = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
  });
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  return {
    socket,
    closed,
    async say(line: string, expected: RegExp): Promise<string> {
      seen = '';
      if (line !== '') socket.write(`${line}\r\n`);
      await expect.poll(() => seen, { interval: 5 }).toMatch(expected);
      return seen;
    },
  };
}

test('a mail is one row however many recipients it has, and the list shows its headers', async () => {
  await using world = await startWorld();
  const info = await world.send('"Doe, Jane" <jane.doe@domain.com>', {
    cc: ['boss@domain.com', 'Žofie <zofie@domain.com>'],
    bcc: 'secret@domain.com',
    subject: 'Re: Tiskárna hoří 🔥 [INC-000047]',
    html: '<p>Hello <img src="cid:logo"></p>',
    attachments: [
      { filename: 'přehled.txt', content: 'overview' },
      { filename: 'logo.png', content: Buffer.from([0x89, 0x50]), cid: 'logo' },
    ],
  });
  expect(info.accepted).toHaveLength(4);

  const rows = await world.db.select().from(inboxMails);
  expect(rows).toHaveLength(1);
  expect(rows[0]!.mailFrom).toBe('company@domain.com');
  expect(rows[0]!.rcptTo).toEqual([
    'jane.doe@domain.com',
    'boss@domain.com',
    'zofie@domain.com',
    'secret@domain.com',
  ]);

  const { mails, hasMore } = await listInboxMails(world.db, { first: 10 });
  expect(hasMore).toBe(false);
  expect(mails).toEqual([
    {
      id: rows[0]!.id,
      receivedAt: expect.any(Date),
      byteSize: rows[0]!.source.byteLength,
      from: 'Desk <company@domain.com>',
      to: ['Doe, Jane <jane.doe@domain.com>'],
      cc: ['boss@domain.com', 'Žofie <zofie@domain.com>'],
      subject: 'Re: Tiskárna hoří 🔥 [INC-000047]',
      attachments: 1,
      isUnread: true,
      snippet: 'Hello',
    },
  ]);

  const mail = await findInboxMail(world.db, rows[0]!.id);
  expect(mail!.text?.trim()).toBe('Hello');
  expect(mail!.files.map(({ fileName, inline }) => ({ fileName, inline }))).toEqual(
    expect.arrayContaining([
      { fileName: 'přehled.txt', inline: false },
      { fileName: 'logo.png', inline: true },
    ]),
  );
  expect(mail!.envelope).toEqual({ from: 'company@domain.com', to: rows[0]!.rcptTo });
  expect(mail!.recipients.map(({ kind, address, state }) => [kind, address, state])).toEqual([
    ['TO', 'jane.doe@domain.com', 'SENT'],
    ['CC', 'boss@domain.com', 'SENT'],
    ['CC', 'zofie@domain.com', 'SENT'],
    ['BCC', 'secret@domain.com', 'SENT'],
  ]);
  expect(mail!.source.toString('latin1')).not.toContain('secret@');
});

test('what a client sends is kept to the byte: dots, bare line feeds, UTF-8 addresses', async () => {
  await using world = await startWorld();
  const smtp = await openDialogue(world.inbox.port);
  await smtp.say('', /^220 /);
  expect(await smtp.say('EHLO test', /^250 /m)).toMatch(
    /SIZE 67108864[\s\S]*SMTPUTF8|SMTPUTF8[\s\S]*SIZE 67108864/,
  );
  await smtp.say('MAIL FROM:<žofie@přehled.cz> SMTPUTF8', /^250/);
  await smtp.say('RCPT TO:<jane@domain.com>', /^250/);
  await smtp.say('DATA', /^354/);
  const body = 'Subject: dots\r\n\r\n..two\r\nbare\nfeed\r\nž\r\n';
  await smtp.say(`${body.replaceAll('\r\n.', '\r\n..')}.`, /^250/);
  smtp.socket.end('QUIT\r\n');
  const [row] = await world.db.select().from(inboxMails);
  expect(row!.source.toString('utf8')).toBe(body);
  expect(row!.mailFrom).toBe('žofie@přehled.cz');
});

test.each([
  ['MAIL FROM:<a@b@c>', /^501 5\.1\.3/],
  ['MAIL FROM:a@domain.com', /^501/],
  ['MAIL FROM:<žofie@domain.com>', /^553 5\.6\.7/],
  ['MAIL FROM:<a@domain.com> SIZE=99999999999', /^552 5\.3\.4/],
  ['MAIL FROM:<a@domain.com> RET=HDRS', /^555/],
  ['RCPT TO:<a@domain.com>', /^503/],
  ['DATA', /^503/],
  ['STARTTLS', /^500/],
  ['', /^500/],
  ['MAIL FROM:<>', /^250/],
  ['MAIL FROM:<"a b <@> c"@domain.com>', /^501|^250/],
  ['mail from:<"a \\" b@c"@domain.com> BODY=8BITMIME SIZE=10', /^250/],
])('the line %j is answered', async (line, expected) => {
  await using world = await startWorld();
  const smtp = await openDialogue(world.inbox.port);
  await smtp.say('', /^220 /);
  await smtp.say('EHLO test', /^250 /m);
  smtp.socket.write(`${line}\r\n`);
  await smtp.say('NOOP', /^250 2\.0\.0 OK\r\n/m).then((seen) => expect(seen).toMatch(expected));
  smtp.socket.destroy();
});

test('a NUL in a subject, a name or an address is no reason to refuse the mail', async () => {
  await using world = await startWorld();
  const nul = '=?utf-8?Q?a=00b?=';
  await world.send(`${nul}@domain.com`, {
    raw: `From: ${nul} <company@domain.com>\r\nTo: ${nul}@domain.com\r\nSubject: ${nul}\r\n\r\nHello\0\r\n`,
  });
  const { mails } = await listInboxMails(world.db, { first: 10, search: 'a b hello' });
  expect(mails).toMatchObject([{ subject: 'a b', from: 'a b <company@domain.com>', snippet: 'Hello' }]);
});

test('pipelined commands and a body in single bytes are one mail each; only CRLF.CRLF ends one', async () => {
  await using world = await startWorld();
  const smtp = await openDialogue(world.inbox.port);
  const mail = (body: string) =>
    `MAIL FROM:<a@domain.com>\r\nRCPT TO:<b@domain.com>\r\nDATA\r\n${body}\r\n.\r\n`;
  const bodies = ['', 'one\n.\nMAIL FROM:<x@y.z>', '..\r\n..\r\n...', 'last\r.\rline'];
  smtp.socket.write(`EHLO test\r\n${mail(bodies[0]!)}${mail(bodies[1]!)}`);
  for (const octet of Buffer.from(`${mail(bodies[2]!)}${mail(bodies[3]!)}QUIT\r\n`))
    smtp.socket.write(Buffer.from([octet]));
  await smtp.closed;
  const rows = await world.db.select().from(inboxMails).orderBy(inboxMails.id);
  const received = ['\r\n', 'one\n.\nMAIL FROM:<x@y.z>\r\n', '.\r\n.\r\n..\r\n', 'last\r.\rline\r\n'];
  expect(rows.map(({ source }) => source.toString())).toEqual(received);
});

test('a client that is cut off in the middle leaves nothing', async () => {
  await using world = await startWorld();
  const smtp = await openDialogue(world.inbox.port);
  await smtp.say('', /^220 /);
  await smtp.say('EHLO test', /^250 /m);
  await smtp.say('MAIL FROM:<a@domain.com>', /^250/);
  await smtp.say('RCPT TO:<jane@domain.com>', /^250/);
  await smtp.say('DATA', /^354/);
  smtp.socket.write('Subject: half\r\n\r\nHalf of');
  smtp.socket.destroy();
  await smtp.closed;
  // Its own next mail shows that the server has gone on.
  await world.send('jane@domain.com', { subject: 'whole' });
  const { mails } = await listInboxMails(world.db, { first: 10 });
  expect(mails.map((mail) => mail.subject)).toEqual(['whole']);
});

test('a mail over the announced size is refused with 552, and not kept', async () => {
  await using world = await startWorld({ maxBytes: 50_000 });
  const smtp = await openDialogue(world.inbox.port);
  await smtp.say('', /^220 /);
  await smtp.say('EHLO test', /SIZE 50000/);
  await smtp.say('MAIL FROM:<a@domain.com>', /^250/);
  await smtp.say('RCPT TO:<jane@domain.com>', /^250/);
  await smtp.say('DATA', /^354/);
  smtp.socket.write(`Subject: large\r\n\r\n${'x'.repeat(70)}\r\n`.repeat(800));
  await smtp.say('.', /^552/);
  smtp.socket.destroy();
  expect(await world.db.$count(inboxMails)).toBe(0);
});

test('without its database it defers: nothing is accepted that is not stored', async () => {
  const lost = await createTestDatabase();
  const inbox = await startInbox(lost.database.desk);
  await lost[Symbol.asyncDispose]();
  const transport = createTransport({ url: inbox.url, ignoreTLS: true });
  await expect(
    transport.sendMail({ from: 'a@domain.com', to: 'b@domain.com', text: 'x' }),
  ).rejects.toMatchObject({ responseCode: 451 });
  await inbox[Symbol.asyncDispose]();
});

test('a mail that arrives while the inbox ends is never stored without a reply', async () => {
  const { inbox, db } = await startWorld();
  const clients = [await openDialogue(inbox.port), await openDialogue(inbox.port)];
  for (const client of clients) {
    await client.say('EHLO client', /^250 SIZE/m);
    await client.say('MAIL FROM:<desk@domain.com>', /^250/);
    await client.say('RCPT TO:<jane@domain.com>', /^250/);
    await client.say('DATA', /^354/);
  }
  const [first, late] = clients;
  const owner = own.asOwner(2);
  let ended: PromiseLike<void> | undefined;
  let confirmed: Promise<string> | undefined;
  let refused: Promise<string> | undefined;
  await owner.begin(async (tx) => {
    await tx`lock table inbox_mails in exclusive mode`;
    confirmed = first!.say('Subject: first\r\n\r\nHello\r\n.', /^250/);
    await expect.poll(() => countWaiting(owner)).toBe(1);
    ended = inbox[Symbol.asyncDispose]();
    refused = late!.say('Subject: late\r\n\r\nHello\r\n.', /^421/);
    await Promise.race([refused, expect.poll(() => countWaiting(owner)).toBe(2)]);
  });
  await Promise.all([ended, confirmed, refused]);
  expect((await listInboxMails(db, { first: 10 })).mails.map(({ subject }) => subject)).toEqual(['first']);
});

test('a large mail is summed up as a small one is, and its file comes back whole', async () => {
  await using world = await startWorld();
  // Of more than 256 KiB the summary reads a part.
  const content = randomBytes(600_000);
  await world.send('jane@domain.com', { subject: 'large', attachments: [{ filename: 'a.bin', content }] });
  const { mails } = await listInboxMails(world.db, { first: 1 });
  expect(mails[0]).toMatchObject({ subject: 'large', to: ['jane@domain.com'], attachments: 1 });
  const mail = await findInboxMail(world.db, mails[0]!.id);
  expect(mail!.files[0]!.content.equals(content)).toBe(true);
});

test('pages go from the newest to the oldest, without a gap or a repeat', async () => {
  await using world = await startWorld();
  for (let n = 1; n <= 5; n += 1) await world.send('jane@domain.com', { subject: `mail ${n}` });
  const subjects: string[] = [];
  let before: number | undefined;
  for (;;) {
    const { mails, hasMore } = await listInboxMails(world.db, { first: 2, before });
    subjects.push(...mails.map((mail) => mail.subject));
    before = mails.at(-1)!.id;
    if (!hasMore) break;
  }
  expect(subjects).toEqual(['mail 5', 'mail 4', 'mail 3', 'mail 2', 'mail 1']);
});

test('bytes that are no mail are kept and shown as what they are', async () => {
  await using world = await startWorld();
  const source = Buffer.from(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${(
      '--b\r\nContent-Type: multipart/mixed; ' + 'boundary=b\r\n\r\n'
    ).repeat(600)}`,
  );
  await world.db.insert(inboxMails).values({
    mailFrom: '',
    rcptTo: [],
    source,
    summary: { from: '', to: [], cc: [], subject: '', attachments: 0 },
  });
  const [row] = await world.db.select({ id: inboxMails.id }).from(inboxMails);
  const mail = await findInboxMail(world.db, row!.id);
  expect(mail!.source.equals(source)).toBe(true);
});

test.each([
  ['bounce@sandbox.test', 550, '5.1.1'],
  ['full+tag@sandbox.test', 552, '5.2.2'],
  ['disabled@sandbox.test', 550, '5.2.1'],
  ['busy@sandbox.test', 421, '4.3.2'],
  ['reject-data@sandbox.test', 554, '5.7.1'],
  ['defer-data@SANDBOX.test', 451, '4.3.0'],
])('the fault address %s answers %i', async (address, code, enhanced) => {
  await using world = await startWorld();
  await expect(world.send(address)).rejects.toMatchObject({
    responseCode: code,
    response: expect.stringContaining(enhanced),
  });
  expect(await world.db.$count(inboxMails)).toBe(0);
});

test('an address of the fault domain that names no fault is accepted, whatever word it is', async () => {
  await using world = await startWorld();
  const words = ['jane', ...Object.getOwnPropertyNames(Object.prototype)];
  const recipients = words.map((word) => `${word}@sandbox.test`);
  expect((await world.send(recipients)).accepted).toEqual(recipients);
});

test('one refused recipient does not keep the others from their copy', async () => {
  await using world = await startWorld();
  const info = await world.send(['jane@domain.com', 'bounce@sandbox.test']);
  expect(info.accepted).toEqual(['jane@domain.com']);
  expect(info.rejected).toEqual(['bounce@sandbox.test']);
  expect(await world.db.$count(inboxMails)).toBe(1);
});

test('defer-2 refuses twice, then accepts, for each address by itself', async () => {
  await using world = await startWorld();
  const outcomes = async (address: string, times: number) => {
    const seen: string[] = [];
    for (let n = 0; n < times; n += 1) {
      seen.push(
        await world.send(address).then(
          () => 'accepted',
          (error: { responseCode: number }) => String(error.responseCode),
        ),
      );
    }
    return seen;
  };
  expect(await outcomes('defer-2@sandbox.test', 6)).toEqual([
    '451',
    '451',
    'accepted',
    '451',
    '451',
    'accepted',
  ]);
  expect(await outcomes('defer-1+mine@sandbox.test', 2)).toEqual(['451', 'accepted']);
  expect(await world.db.$count(inboxMails)).toBe(3);
});

test('greylist takes what comes again after five seconds, from the same sender', async () => {
  const faults = new FaultAddresses();
  const check = (sender: string, at: number) =>
    faults.checkRecipient('greylist@sandbox.test', sender, () => at);
  await expect(check('a@x.org', 0)).rejects.toMatchObject({ responseCode: 451 });
  await expect(check('a@x.org', 4999)).rejects.toMatchObject({ responseCode: 451 });
  await expect(check('a@x.org', 5000)).resolves.toBeUndefined();
  await expect(check('b@x.org', 5000)).rejects.toMatchObject({ responseCode: 451 });
});

test('slow-1 answers after a second', async () => {
  await using world = await startWorld();
  const started = Date.now();
  await world.send('slow-1@sandbox.test');
  // Clock: a bound from below, which a busy machine keeps.
  expect(Date.now() - started).toBeGreaterThan(990);
});

test('drop-in-data cuts before the body is stored; drop-after-data stores it without a reply', async () => {
  await using world = await startWorld();
  await expect(world.send('drop-in-data@sandbox.test')).rejects.toThrow();
  expect(await world.db.$count(inboxMails)).toBe(0);
  await expect(world.send('drop-after-data@sandbox.test')).rejects.toThrow();
  await expect.poll(() => world.db.$count(inboxMails)).toBe(1);
});

test('hang never answers, and does not keep the inbox from closing', async () => {
  const world = await startWorld();
  let outcome: unknown = 'waiting';
  const sending = world.send('hang@sandbox.test').then(
    () => 'sent',
    (error: Error) => error,
  );
  void sending.then((settled) => {
    outcome = settled;
  });
  // Another that comes behind it is through; this one waits, and is not kept.
  await world.send('another@sandbox.test');
  expect(outcome).toBe('waiting');
  expect(await world.db.$count(inboxMails)).toBe(1);
  await world[Symbol.asyncDispose]();
  expect(await sending).toBeInstanceOf(Error);
});
