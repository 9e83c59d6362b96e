import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { GraphQLError } from 'graphql';
import { describe, expect, test } from 'vitest';
import { BadCredential, Unavailable } from '../../src/platform/errors.ts';
import { soaking } from '../support/soak.ts';
import { type Answer, startDoor } from './stand-in.ts';

const large = soaking ? 9_000_001 : 1_000_001;
const json = { 'Content-Type': 'application/json' };
const post = (more: object = {}) => JSON.stringify({ TicketId: 1, Message: 'x', ...more });
const text = ({ body }: Answer) => body.toString();

describe('protects the process', () => {
  test('refuses a body that is announced too large, and the caller can read the answer', async () => {
    await using door = await startDoor({ limits: { maxBodyBytes: 1000 } });
    const answer = await door.call({ headers: json, body: 'x'.repeat(5_000_000) });
    expect(answer.status).toBe(413);
    expect(answer.headers.connection).toBe('close');
    expect(text(answer)).toBe('{"Message":"Maximum request length exceeded."}');
    const connections = () =>
      new Promise((resolve) => door.server.getConnections((_, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
  });

  test('counts the bytes of a body whose length is not announced', async () => {
    await using door = await startDoor({ limits: { maxBodyBytes: 1000 } });
    const body = post({ Message: 'x'.repeat(5_000_000) });
    const answer = await door.call({ headers: { ...json, Accept: 'text/xml' }, body, chunked: true });
    expect(answer.status).toBe(413);
    expect(text(answer)).toBe('<Error><Message>Maximum request length exceeded.</Message></Error>');
    expect(door.inputs).toEqual([]);
  });

  test('does not unpack anything', async () => {
    await using door = await startDoor();
    const answer = await door.call({
      headers: { ...json, 'Content-Encoding': 'gzip' },
      body: gzipSync(post()),
    });
    expect(answer.status).toBe(415);
    expect(text(answer)).toContain("'gzip'");
    expect(
      (await door.call({ headers: { ...json, 'Content-Encoding': 'identity' }, body: post() })).status,
    ).toBe(200);
  });

  test.each([
    'UTF-8',
    'utf8',
    'iso-8859-1',
    '',
    ' ',
    'identity',
    'none',
    'binary',
    'text/xml',
    'base64, 8bit',
    ';',
    ',',
  ])('reads a plain body although its Content-Encoding says %j, which is no coding', async (encoding) => {
    await using door = await startDoor();
    const answer = await door.call({ headers: { ...json, 'Content-Encoding': encoding }, body: post() });
    expect([answer.status, text(answer)]).toEqual([200, '{"TicketMessageId":123}']);
  });

  test.each(['gzip', 'X-GZIP', 'deflate', 'br', 'zstd', 'compress', 'identity, gzip', 'utf-8,gzip;q=1'])(
    'refuses %s with a message that names it',
    async (encoding) => {
      await using door = await startDoor();
      const headers = { ...json, 'Content-Encoding': encoding };
      const answer = await door.call({ headers, body: gzipSync(post()) });
      expect([answer.status, Object.keys(JSON.parse(text(answer)))]).toEqual([415, ['Message']]);
      expect(text(answer)).toMatch(/'(gzip|X-GZIP|deflate|br|zstd|compress)'/);
      expect((await door.call({ headers: { 'Content-Encoding': encoding } })).status).toBe(400);
    },
  );

  test('answers whoever is not signed in before the body is sent', async () => {
    const contextless = { viewer: undefined };
    await using door = await startDoor();
    await using closed = await startDoor({ begin: async () => ({ ...door.context, ...contextless }) });
    const socket = connect(closed.port, '127.0.0.1');
    socket.write(
      'POST /api/Tickets/NewMessage HTTP/1.1\r\nHost: localhost\r\nContent-Type: ' +
        'application/json\r\nContent-Length: 30000000\r\n\r\n{',
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1\.1 401 Unauthorized/);
    socket.destroy();
  });

  test('gives up the file of an upload that is broken off, and adds no message', async () => {
    await using door = await startDoor();
    for (const share of [0.01, 0.5, 0.99]) {
      const data = Buffer.alloc(large, 'a').toString('base64');
      const body = post({ Attachments: [{ FileName: 'a', Data: data }] });
      const socket = connect(door.port, '127.0.0.1');
      socket.write(
        'POST /api/Tickets/NewMessage HTTP/1.1\r\nHost: localhost\r\nContent-Type: ' +
          `application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
      );
      socket.write(body.slice(0, body.length * share), () => socket.destroy());
      await once(socket, 'close');
    }
    await expect.poll(() => door.open).toEqual(0);
    expect(door.inputs).toEqual([]);
  });

  test('answers a bad document at once, while its caller is still sending', async () => {
    await using door = await startDoor();
    const socket = connect(door.port, '127.0.0.1');
    socket.write(
      'POST /api/Tickets/NewMessage HTTP/1.1\r\nHost: localhost\r\nContent-Type: ' +
        'text/xml\r\nContent-Length: 30000000\r\n\r\n<!DOCTYPE x [',
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    socket.destroy();
  });

  test('keeps no string in memory that is longer than any message', async () => {
    await using door = await startDoor({ limits: { maxBodyBytes: 40_000_000, maxTextChars: 1000 } });
    const long = 'x'.repeat(1001);
    const xml =
      '<NewMessagePost ' +
      `xmlns="http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts"><Message>${long}` +
      '</Message></NewMessagePost>';
    for (const body of [post({ Message: long }), post({ Message: `a\n${long}` }), post({ [long]: 1 })]) {
      expect((await door.call({ headers: json, body })).status).toBe(413);
    }
    expect((await door.call({ headers: { 'Content-Type': 'text/xml' }, body: xml })).status).toBe(413);
  });
});

describe('reads files as a stream', () => {
  test.each(['json', 'xml'])('a large one in %s reaches the command whole', async (format) => {
    await using door = await startDoor();
    const data = Buffer.alloc(large, 'abcdefg').toString('base64').replace(/.{76}/g, '$&\r\n');
    const xml =
      '<NewMessagePost ' +
      'xmlns="http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts"><Attachments ' +
      'xmlns:d="http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.DataStructures">' +
      `<d:NewAttachment><d:Data>${data}</d:Data><d:FileName>big</d:FileName></d:NewAttachment>` +
      '</Attachments><Message>x</Message><TicketId>1</TicketId></NewMessagePost>';
    const body = format === 'json' ? post({ Attachments: [{ FileName: 'big', Data: data }] }) : xml;
    const answer = await door.call({ headers: { 'Content-Type': `application/${format}` }, body });
    expect([answer.status, text(answer)]).toEqual([200, expect.stringContaining('123')]);
    expect(door.files).toMatchObject([{ name: 'big', type: 'application/octet-stream', size: large }]);
  });

  test('what the public PHP client sends', async () => {
    await using door = await startDoor();
    const body =
      '{"TicketREF":"INC-000047","TicketId":null,"Message":"P\\u0159\\u00edloha k ' +
      '\\/po\\u017eadavku\\/","Html":false,"IsPrivate":false,"IsMobileDevice":false,"Attachments":[{"F' +
      'ileName":"p\\u0159\\u00edloha.txt","ContentType":"text\\/plain","ContentLength":"5","Data":"a' +
      'GVsbG8="}]}';
    const answer = await door.call({ headers: { Accept: '*/*', 'Content-type': 'application/json' }, body });
    expect([answer.status, text(answer)]).toEqual([200, '{"TicketMessageId":123}']);
    expect(door.inputs[0]).toMatchObject({
      ticket: { reference: 'INC-000047' },
      body: 'Příloha k /požadavku/',
    });
    expect(door.files).toEqual([
      {
        name: 'příloha.txt',
        type: 'text/plain',
        size: 5,
        sha256: createHash('sha256').update('hello').digest('hex'),
      },
    ]);
  });
});

describe('speaks HTTP as the old service did', () => {
  test('sends 100 Continue to those who wait for it', async () => {
    await using door = await startDoor();
    const socket = connect(door.port, '127.0.0.1');
    socket.write(
      'POST /api/Tickets/NewMessage HTTP/1.1\r\nHost: localhost\r\nExpect: ' +
        `100-continue\r\nContent-Type: application/json\r\nContent-Length: ${post().length}\r\n\r\n`,
    );
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(post());
    const [second] = (await once(socket, 'data')) as [Buffer];
    expect(second.toString()).toMatch(/^HTTP\/1\.1 200 OK/);
    socket.destroy();
  });

  test('answers HEAD without a body, and keeps the connection', async () => {
    await using door = await startDoor();
    const answer = await door.call({ method: 'HEAD' });
    expect([answer.status, answer.headers.allow, answer.body.length]).toEqual([405, 'POST', 0]);
    expect(answer.headers['content-length']).toBe('73');
  });

  test('challenges, slows down and asks to come back', async () => {
    const refusing = (error: Error) => startDoor({ begin: () => Promise.reject(error) });
    await using bad = await refusing(new BadCredential('no', 'throttled', { retryAfterSeconds: 7 }));
    const denied = await bad.call({ headers: json, body: post() });
    expect(denied).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="Requestor"', 'retry-after': '7' },
    });
    expect(text(denied)).toBe('{"Message":"Authorization has been denied for this request."}');
    await using down = await refusing(new Unavailable('database', 3));
    const later = await down.call({ headers: json, body: post() });
    expect(later).toMatchObject({ status: 503, headers: { 'retry-after': '3' } });
    const Message = 'The service is not available just now. This call has stored nothing. Try again in 3 s.';
    expect(JSON.parse(text(later))).toEqual({ Message });
    const faults: unknown[] = [];
    await using broken = await startDoor({
      begin: () => Promise.reject(new Error('secret')),
      fault: (error) => faults.push(error),
    });
    const masked = await broken.call({ headers: json, body: post() });
    expect([masked.status, text(masked)]).toEqual([500, '{"Message":"An error has occurred."}']);
    expect(faults).toHaveLength(1);
  });

  test('passes a fault of the database on as 503, which says what was stored, any other as 500', async () => {
    const failing = (extensions: Record<string, unknown>) =>
      startDoor({
        execute: async () => ({ data: null, errors: [new GraphQLError('masked', { extensions })] }),
      });
    const http = { headers: { 'Retry-After': '2' } };
    for (const [nothingWritten, said] of [
      [true, 'This call has stored nothing. Try again in 2 s.'],
      [false, 'The message may have been stored. Look at the ticket, or try again in 2 s '],
    ] as const) {
      await using down = await failing({ code: 'UNAVAILABLE', nothingWritten, http });
      const later = await down.call({ headers: json, body: post() });
      expect([later.status, later.headers['retry-after']]).toEqual([503, '2']);
      expect(JSON.parse(text(later)).Message).toContain(`The service is not available just now. ${said}`);
    }
    await using broken = await failing({ code: 'INTERNAL' });
    expect((await broken.call({ headers: json, body: post() })).status).toBe(500);
  });

  test('reads qualities as .NET’s header classes do', async () => {
    await using door = await startDoor();
    for (const [name, value, contentType] of [
      ['Accept', 'application/json;q=0.2;q=0.9, text/xml;q=0.5', 'text/xml; charset=utf-8'],
      ['Accept-Charset', 'utf-16;q=0.5', 'application/json; charset=utf-16'],
      ['Accept-Charset', 'utf-16;q=1.5', 'application/json; charset=utf-8'],
      ['Accept-Charset', 'utf-16;q=.5', 'application/json; charset=utf-8'],
    ] as const) {
      const { headers } = await door.call({ headers: { ...json, [name]: value }, body: post() });
      expect([value, headers['content-type']]).toEqual([value, contentType]);
    }
  });

  test('repeats an unknown address readably, whatever is in it', async () => {
    await using door = await startDoor();
    const answer = await door.call({ path: '/api/Tickets/N%6Fpe%20%3Cb%3E%0A%25?x=%C5%99', body: post() });
    expect(answer.status).toBe(404);
    expect(JSON.parse(text(answer)).Message).toBe(
      "No HTTP resource was found that matches the request URI 'http://localhost/api/Tickets/Nope " +
        "<b>%0A%25?x=ř'.",
    );
  });
});

describe('helps its users', () => {
  test('uses the reader’s own origin in its samples, and nothing injected by a header', async () => {
    await using door = await startDoor();
    const help = async (host: string) =>
      text(await door.call({ method: 'GET', path: '/api', headers: { host } }));
    expect(await help('desk.example.com:8080')).toContain(
      'http://desk.example.com:8080/api/Tickets/NewMessage',
    );
    const hostile = await help('x/</pre><script>');
    expect(hostile).not.toContain('<script>');
    expect(hostile).toContain('http://localhost:4000/api/Tickets/NewMessage');
  });

  test('shows a help page that needs nothing from elsewhere', async () => {
    await using door = await startDoor();
    for (const path of ['/api', '/api/', '/API/']) {
      const page = await door.call({ method: 'GET', path });
      expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
      expect(text(page)).toContain('POST api/Tickets/NewMessage');
      expect(text(page)).not.toMatch(/<script|\son\w+=|src=|@import|url\(/);
      expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    }
    expect((await door.call({ path: '/api' })).status).toBe(405);
  });

  test('has samples that work when they are copied', async () => {
    const { samples } = await import('../../src/legacy/help/samples.ts');
    await using door = await startDoor();
    for (const [type, body] of [
      ['application/json', samples.requestJson],
      ['application/xml', samples.requestXml],
    ] as const) {
      expect((await door.call({ headers: { 'Content-Type': type }, body })).status).toBe(200);
    }
    expect(door.inputs[0]!.email).toEqual(door.inputs[1]!.email);
    expect(door.files[0]).toEqual(door.files[1]);
  });

  test('counts who calls with what', async () => {
    const uses: object[] = [];
    await using door = await startDoor({ count: (use) => uses.push(use) });
    const headers = { ...json, 'User-Agent': 'RestSharp/105.2.3' };
    const { headers: answered } = await door.call({ headers, body: post({ Html: true, IsPrivate: false }) });
    expect(answered.link).toBe('</api>; rel="help"');
    expect(uses).toEqual([{ client: 'RestSharp', fields: ['TicketId', 'Message', 'Html'], status: 200 }]);
  });
});
