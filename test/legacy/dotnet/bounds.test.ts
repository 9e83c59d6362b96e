import { describe, expect, test } from 'vitest';
import { sampled, soaking } from '../../support/soak.ts';
import { bind } from './bind.ts';

/** Far more of each than a call has. */
const many = soaking ? 100_000 : 20_000;

const posts = 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts';
const declarations =
  `xmlns="${posts}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" ` +
  'xmlns:z="http://schemas.microsoft.com/2003/10/Serialization/" ' +
  'xmlns:d="http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.DataStructures" ' +
  'xmlns:a="http://schemas.microsoft.com/2003/10/Serialization/Arrays"';
const root = (members: string, more = '') =>
  `<NewMessagePost ${declarations}${more}>${members}</NewMessagePost>`;
const xml = (members: string, size?: number) => bind('xml', 'utf-8', root(members), size);
const file = (data: string) =>
  root(`<Attachments><d:NewAttachment><d:Data>${data}</d:Data></d:NewAttachment></Attachments>`);
const refused = { post: null, errors: [''] };

describe('base64 in blocks', () => {
  const decoded = async (data: string, size?: number) => {
    const { post, errors } = await bind('xml', 'utf-8', file(data), size);
    return errors.length > 0 ? undefined : Buffer.from(post!.Attachments![0]!.Data!, 'base64').toString();
  };

  test.each([
    ['YQ==YWJj', 'aabc'],
    ['YQ==YQ==YQ==', 'aaa'],
    ['YWI=\n YQ==\r\n', 'aba'],
    ['Y Q = = Y W J j', 'aabc'],
    ['YQ==<!-- c -->YWJj', 'aabc'],
    ['YQ<![CDATA[==]]>YWJj', 'aabc'],
    ['YQ=&#61;YWJj', 'aabc'],
    ['YR==', 'a'],
  ])('%j', async (data, text) => {
    for (const size of [1, 3, 65_536]) expect(await decoded(data, size)).toBe(text);
  });

  test.each(['YQ==YQ', 'YQ==YQ===', 'YWJj=', '====', 'YQ==Y===', 'YQ==YW=j', 'YQ==Y-_j', 'YQ==YWJ\u00e9'])(
    'each group is whole: not %j',
    async (data) => {
      for (const size of [1, 65_536]) expect(await decoded(data, size)).toBeUndefined();
    },
  );

  test('of many megabytes, block after block', async () => {
    const block = Buffer.alloc(1000, 'x').toString('base64');
    expect(await decoded(block.repeat(3000))).toHaveLength(3_000_000);
  });

  test('are refused in JSON, as they were', async () => {
    const { errors } = await bind('json', 'utf-8', '{"Attachments":[{"Data":"YQ==YWJj"}]}');
    expect(errors[0]).toBe('Attachments[0].Data');
  });
});

describe('what a document may have as much of as it has bytes', () => {
  test('references: PHP writes each Czech letter as one', async () => {
    const { post } = await xml(`<Message>${'&#345;&lt;a'.repeat(100_000)}</Message>`);
    expect(post!.Message).toBe('ř<a'.repeat(100_000));
  });

  test('references with leading zeros', async () => {
    const { post } = await xml(`<Message>&#${'0'.repeat(5000)}65;&#x${'0'.repeat(5000)}42;</Message>`, 100);
    expect(post!.Message).toBe('AB');
  });

  test.each([
    ['an attribute', `<Message a="${'y'.repeat(1_000_000)}">x</Message>`],
    [
      'many attributes',
      `<Message ${Array.from({ length: 20_000 }, (_, n) => `a${n}='${n}'`).join(' ')}>x</Message>`,
    ],
    ['an unknown name', `<A${'n'.repeat(300_000)}/><Message>x</Message>`],
    ['space in a tag', `<Message ${' \n'.repeat(200_000)}>x</Message>`],
    ['a quoted bracket', `<Message a='${'>"'.repeat(100_000)}'>x</Message>`],
  ])('%s, however it is cut', async (_name, members) => {
    for (const size of [1000, 65_536])
      expect((await xml(members, size)).post).toMatchObject({ Message: 'x' });
  });

  test('items', async () => {
    const { post } = await xml(
      `<SendViaOutboundEmailBcc>${'<a:string/>'.repeat(many)}<a:string>x@y.cz</a:string>` +
        '</SendViaOutboundEmailBcc>',
    );
    expect(post!.SendViaOutboundEmailBcc).toHaveLength(many + 1);
    const json = await bind('json', 'utf-8', `{"SendViaOutboundEmailBcc":[${'null,'.repeat(many)}"x@y.cz"]}`);
    expect(json.post!.SendViaOutboundEmailBcc).toHaveLength(many + 1);
  });

  const objects: ['xml' | 'json', string, () => string][] = [
    ['json', 'objects', () => `{"Attachments":[${'{},'.repeat(100_000)}{}]}`],
    ['xml', 'objects', () => root(`<Attachments>${'<d:NewAttachment/>'.repeat(100_000)}</Attachments>`)],
    [
      'xml',
      'named texts',
      () => {
        const named = Array.from({ length: 100_000 }, (_, n) => `<a:string z:Id="${n}"/>`).join('');
        return root(`<SendViaOutboundEmailCc><Unknown/>${named}</SendViaOutboundEmailCc>`);
      },
    ],
  ];
  test.each(sampled(objects, 2))('but of %s no more %s than memory is meant for', async (format, _, body) => {
    await expect(bind(format, 'utf-8', body())).rejects.toThrow('Maximum request length exceeded.');
  });
});

describe('a reference to what was read before', () => {
  test('stands for it, in any member and any list', async () => {
    const { post, errors } = await xml(
      '<Attachments><d:NewAttachment z:Id="n"><d:Data z:Id="b">YQ==</d:Data><d:FileName ' +
        'z:Id="f">a.txt</d:FileName></d:NewAttachment><d:NewAttachment ' +
        'z:Ref="n"/><d:NewAttachment><d:Data z:Ref="b"/><d:FileName ' +
        'z:Ref="f"/></d:NewAttachment></Attachments>' +
        '<Message z:Id="m">hello</Message>' +
        '<SendViaOutboundEmailBcc z:Id="l"><a:string z:Id="s">x@y.cz</a:string><a:string z:Ref="s">not ' +
        '<b/> read</a:string></SendViaOutboundEmailBcc>' +
        '<SendViaOutboundEmailCc z:Ref="l" i:type="d:NotLookedAt"/><TicketREF z:Ref="m" i:nil="true"/>',
    );
    expect(errors).toEqual([]);
    const attachment = { FileName: 'a.txt', ContentType: null, ContentLength: 0, Data: 'YQ==' };
    expect(post).toMatchObject({
      Attachments: [attachment, attachment, attachment],
      Message: 'hello',
      TicketREF: 'hello',
      SendViaOutboundEmailCc: ['x@y.cz', 'x@y.cz'],
      SendViaOutboundEmailBcc: ['x@y.cz', 'x@y.cz'],
    });
  });

  test.each([
    ['to nothing in an unknown element', '<Unknown z:Ref="99"/><Message>x</Message>'],
    ['a name on null, which is none', '<Message z:Id="1">x</Message><TicketREF z:Id="1" i:nil="true"/>'],
    ['a name on an integer that is null', '<Message>x</Message><TicketId z:Id="1" i:nil="true"/>'],
    ['an array size that is one', '<Message z:Size="5">x</Message>'],
  ])('lets pass %s', async (_name, members) => {
    expect((await xml(members)).post).toMatchObject({ Message: 'x' });
  });

  test.each([
    ['to what comes later', '<Message z:Ref="1"/><TicketREF z:Id="1">x</TicketREF>'],
    ['to what was not read', '<Unknown z:Id="5">t</Unknown><TicketREF z:Ref="5"/>'],
    ['to null', '<Message z:Id="1" i:nil="true"/><TicketREF z:Ref="1"/>'],
    ['to another type', '<Attachments z:Id="1"/><SendViaOutboundEmailCc z:Ref="1"/>'],
    ['by an integer', '<Message z:Id="1">5</Message><TicketId z:Ref="1"/>'],
    ['to itself', '<Attachments z:Id="1"><d:NewAttachment z:Ref="1"/></Attachments>'],
    ['that is empty, even in an unknown element', '<Unknown z:Ref=""/>'],
    ['by a name that is taken', '<Message z:Id="1">a</Message><TicketREF z:Id="1">x</TicketREF>'],
    ['with a name on a boolean', '<Html z:Id="1">true</Html>'],
    ['with an array size that is none', '<Unknown z:Size="x"/>'],
    ['with an array size below zero', '<Message z:Size="-1">x</Message>'],
  ])('refuses one %s', async (_name, members) => {
    expect(await xml(members)).toEqual(refused);
  });
});

describe('hostile JSON', () => {
  const json = (body: string) => bind('json', 'utf-8', body);
  const sizeOf = ({ errors }: { errors: readonly string[] }) => errors.join('').length;

  test('is not read on where it is nested a thousand deep', async () => {
    const rest = `,"TicketId":"x","Html":"x"}`;
    const deep = await json(`{"X":${'['.repeat(300)}${']'.repeat(300)}${rest}`);
    expect(deep.errors.at(-1)).toBe('Html');
    const deeper = await json(`{"X":${'['.repeat(2000)}${']'.repeat(2000)}${rest}`);
    expect(deeper.errors.length).toBeGreaterThan(0);
    expect(deeper.errors).not.toContain('Html');
  });

  test.each([
    ['a name of a megabyte', `{"${'n'.repeat(1_000_000)}":[}`],
    ['many long names', `{${`"${'n'.repeat(10_000)}":tru,`.repeat(1000)}"Message":"x"}`],
    ['deep paths', `{"X":[${`${'{"abcdefgh":['.repeat(300)}${']}'.repeat(300)},`.repeat(500)}1]}`],
    ['many errors', `{"Attachments":[${'{"Data":5,"ContentLength":"x"},'.repeat(many / 5)}1]}`],
  ])('tells no more than a little of %s', async (_name, body) => {
    const reading = await json(body);
    expect(reading.errors.length).toBeGreaterThan(0);
    expect(sizeOf(reading)).toBeLessThanOrEqual(20_000);
  });
});
