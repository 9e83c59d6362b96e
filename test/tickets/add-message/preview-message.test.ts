import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { add, ask, untilNoMailIsUnderWay } from '../calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(() => untilNoMailIsUnderWay(gateway));

interface Preview {
  code?: string;
  problems?: { path: string[] }[];
  envelopeFrom: string;
  envelopeTo: string[];
  subject: string;
  text: string;
  html: string;
  byteSize: number;
  limitBytes: number;
  warnings: { code: string }[];
  previewHash: string;
}

const preview = (input: object, authorization: string | null = asOperator) =>
  ask<Preview>(
    gateway,
    /* GraphQL */ `query ($input: AddTicketMessageInput!) {
      previewTicketMessage(input: $input) {
        ... on TicketMessagePreview { envelopeFrom envelopeTo subject text html byteSize limitBytes warnings
        { code } previewHash }
        ... on UserError { code }
        ... on InvalidInputError { problems { path } }
      }
    }`,
    { input: { ticket: { ticketId: 47 }, body: 'As you can see', ...input } },
    { authorization },
  );
const email = { from: 'company@domain.com', cc: ['jane.doe@domain.com'], bcc: ['boss@domain.com'] };

describe('a preview', () => {
  test('is the mail that is sent, and keeps and sends nothing itself', async () => {
    const before = await gateway.counts();
    const sent = gateway.sink.mails.length;
    const input = { body: 'As you can see', email: { ...email, quote: 'LAST' } };
    const seen = await preview(input);
    expect(seen).toMatchObject({
      envelopeFrom: 'company@domain.com',
      envelopeTo: ['requester@domain.com', 'jane.doe@domain.com', 'boss@domain.com'],
      subject: expect.stringMatching(/^Re: .* \[INC-000047\]$/),
      text: expect.stringMatching(/^As you can see/),
      limitBytes: 26_214_400,
      warnings: [],
      previewHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await gateway.counts()).toEqual(before);
    expect((await preview(input)).previewHash).toBe(seen.previewHash);

    const added = await add(gateway, { ...input, expectPreviewHash: seen.previewHash });
    expect(added.code).toBeUndefined();
    const mail = (await gateway.sink.received(sent + 1))[sent];
    expect([...mail!.to].sort()).toEqual([...seen.envelopeTo].sort());
    // But for its Message-ID, which a preview has none of.
    expect(Math.abs(mail!.source.length - seen.byteSize)).toBeLessThan(80);
    expect(mail!.source.toString()).toContain('As you can see');
    expect(mail!.source.toString()).not.toContain('boss@domain.com');
  });

  test('is another one for other copies, another quote, other words', async () => {
    const inputs = [
      { email },
      { email: { ...email, bcc: [] } },
      { email: { ...email, quote: 'LAST' } },
      { email, body: 'Other words' },
      { email: { ...email, from: 'a@b.cz' } },
    ];
    const hashes = await Promise.all(inputs.map(async (input) => (await preview(input)).previewHash));
    expect(new Set(hashes).size).toBe(inputs.length);
  });

  test('is refused as the command would be', async () => {
    expect(await preview({})).toMatchObject({ code: 'INVALID_INPUT', problems: [{ path: ['email'] }] });
    expect(await preview({ email }, null)).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await preview({ email }, asRequester)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await preview({ email, ticket: { ticketId: 999 } })).toMatchObject({ code: 'TICKET_NOT_FOUND' });
    expect(await preview({ email, visibility: 'PRIVATE' })).toMatchObject({ code: 'PRIVATE_WITH_EMAIL' });
    expect(await preview({ email: { from: 'x@y.cz' } })).toMatchObject({ code: 'MAILBOX_NOT_FOUND' });
    expect(await preview({ email: { ...email, cc: ['no address'] } })).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['email', 'cc', '0'] }],
    });
  });
});

describe('expectPreviewHash', () => {
  const stale = { code: 'PREVIEW_STALE', path: ['expectPreviewHash'] };
  const ticket = { ticketId: 12 };
  const input = { ticket, body: 'As previewed', email };

  /** Without events: those of mails that are still going out come in between. */
  const written = async () => {
    const { messages, deliveries } = await gateway.counts();
    return { messages, deliveries };
  };
  const quoting = { ...input, email: { ...email, quote: 'LAST' } };
  const cases: [what: string, meant: object, change: () => Promise<unknown>, stale: boolean][] = [
    // In words of its own: other tests say the same, and a quote of the same is the same.
    [
      'another public message that it would quote',
      quoting,
      () => add(gateway, { ticket, body: 'To be quoted' }),
      true,
    ],
    ['another public message that changes nothing of the mail', input, () => add(gateway, { ticket }), false],
    ['another mail, which it would refer to', input, () => add(gateway, { ticket, email }), true],
    ['a private note', quoting, () => add(gateway, { ticket, visibility: 'PRIVATE' }), false],
    [
      'another signature',
      input,
      () =>
        gateway.sql`update mailboxes set signature = signature || ' x' where address = 'company@domain.com'`,
      true,
    ],
    [
      'another name of the requester',
      input,
      () => gateway.sql`update users set name = name || ' x' where id = 2`,
      true,
    ],
  ];
  for (const [what, meant, change, isStale] of cases) {
    test(`after ${what}: ${isStale ? 'refused, and nothing is written' : 'sent'}`, async () => {
      const { previewHash } = await preview(meant);
      await change();
      const before = await written();
      const result = await add(gateway, { ...meant, expectPreviewHash: previewHash });
      if (!isStale) return expect(result.delivery).not.toBeNull();
      expect(result).toMatchObject(stale);
      expect(await written()).toEqual(before);
    });
  }

  test('of ten who saw the same preview and send at once, one sends it', async () => {
    const { previewHash } = await preview(input);
    const results = await Promise.all(
      Array.from({ length: 10 }, () => add(gateway, { ...input, expectPreviewHash: previewHash })),
    );
    expect(results.filter(({ delivery }) => delivery)).toHaveLength(1);
    expect(results.filter(({ code }) => code === 'PREVIEW_STALE')).toHaveLength(9);
  });

  test('that is no hash, or without an e-mail, is refused with its path', async () => {
    const problem = { code: 'INVALID_INPUT', problems: [{ path: ['expectPreviewHash'] }] };
    expect(await add(gateway, { ...input, expectPreviewHash: 'x' })).toMatchObject(problem);
    expect(await add(gateway, { ticket, expectPreviewHash: 'a'.repeat(64) })).toMatchObject(problem);
    expect(await add(gateway, { ...input, expectPreviewHash: 'a'.repeat(64) })).toMatchObject(stale);
  });
});
