import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { type ClamdStandIn, signature, startClamd } from '../support/servers/clamd.ts';
import { soaking } from '../support/soak.ts';
import { add, ask, get } from '../tickets/calls.ts';

interface File_ {
  id: string;
  scan: string | null;
  url: string | null;
  downloadUrl: string | null;
}
interface Delivery {
  state: string;
  failure: string | null;
  recipients: { state: string; smtpReply: string | null }[];
}
const seen = (gateway: Gateway, id: string, authorization = asOperator) =>
  ask<{ attachments: File_[]; delivery: Delivery | null }>(
    gateway,
    `query ($id: ID!) { node(id: $id) { ... on TicketMessage {
      attachments { id scan url downloadUrl }
      delivery { state failure recipients { state smtpReply } }
    } } }`,
    { id },
    { authorization },
  );
type Seen = Awaited<ReturnType<typeof seen>>;

/** Waits for something that the test can only look for. */
async function until(gateway: Gateway, id: string, reached: (now: Seen) => boolean): Promise<Seen> {
  return eventually(async () => {
    const now = await seen(gateway, id);
    return reached(now) && now;
  });
}
const scanned = ({ attachments }: Seen) => attachments.every(({ scan }) => scan !== 'PENDING');
const inState =
  (...states: string[]) =>
  ({ delivery }: Seen) =>
    states.includes(delivery!.state);

const say = async (gateway: Gateway, files: readonly string[], input: object = {}) => {
  const added = await add(
    gateway,
    { attachments: files.map(() => ({ file: null })), ...input },
    { files: files.map((text, n) => new File([text], `file-${n}.txt`)) },
  );
  expect(added.__typename).toBe('AddTicketMessagePayload');
  return added.ticketMessage.id;
};
const email = { from: 'company@domain.com' };
const eventsOf = async (gateway: Gateway, id: string) => {
  const rows = await gateway.sql`
    select type, visibility from events where message_id = ${Number(atob(id).slice('TicketMessage:'.length))}
    order by number`;
  return rows.map(({ type, visibility }) => `${type} ${visibility}`);
};

describe('with a scanner', () => {
  let clamd: ClamdStandIn;
  let gateway: Gateway;
  beforeAll(async () => {
    clamd = await startClamd({ maxBytes: 1000 });
    gateway = await startGateway({ env: { CLAMD_URL: clamd.url } });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await clamd[Symbol.asyncDispose]();
  });
  let release = () => {};
  afterEach(() => release());

  test('a mail waits until its files are clean, and its ledger says so', async () => {
    release = clamd.hold();
    const id = await say(gateway, ['one', 'two'], { email });
    await clamd.arrived();
    const waiting = await seen(gateway, id);
    expect(waiting.attachments.map(({ scan }) => scan)).toEqual(['PENDING', 'PENDING']);
    expect(waiting.delivery).toMatchObject({
      state: 'QUEUED',
      failure: 'Waiting: its files have not been scanned yet',
    });
    release();
    const after = await until(gateway, id, inState('SENT'));
    expect(after.attachments.map(({ scan }) => scan)).toEqual(['CLEAN', 'CLEAN']);
    expect(after.delivery!.failure).toBeNull();
    expect(await eventsOf(gateway, id)).toEqual([
      'MESSAGE_ADDED PUBLIC',
      'ATTACHMENT_SCANNED PUBLIC',
      'ATTACHMENT_SCANNED PUBLIC',
      'DELIVERY_SENT PRIVATE',
    ]);
  });

  test('a pending mail holds up no other one, of its ticket or another', async () => {
    release = clamd.hold();
    const waiting = await say(gateway, ['slow'], { email });
    const later = await say(gateway, [], { email });
    await until(gateway, later, inState('SENT'));
    expect((await seen(gateway, waiting)).delivery!.state).toBe('QUEUED');
  });

  test('an infected file is never served, and its mail fails with the reason at each retry', async () => {
    const body = 'Carries something';
    const id = await say(gateway, ['clean', `x${signature}x`], { email, body });
    const after = await until(gateway, id, inState('FAILED'));
    const reason = 'Not sent: a file is infected: attachment 2 (Our.Own.Signature)';
    expect(after.delivery).toEqual({
      state: 'FAILED',
      failure: `requester@domain.com: ${reason}.`,
      recipients: [{ state: 'FAILED', smtpReply: reason }],
    });
    const now = await until(gateway, id, scanned);
    expect(
      now.attachments.map(({ scan, url, downloadUrl }) => [scan, url === null, downloadUrl === null]),
    ).toEqual([
      ['CLEAN', false, false],
      ['INFECTED', true, true],
    ]);
    const [clean, infected] = now.attachments;
    expect((await get(clean!.downloadUrl!, asOperator)).status).toBe(200);
    const direct = clean!.downloadUrl!.replace(
      encodeURIComponent(clean!.id),
      encodeURIComponent(infected!.id),
    );
    for (const authorization of [asOperator, asRequester])
      expect((await get(direct, authorization)).status).toBe(404);

    const [row] = await gateway.sql`
      select d.id from deliveries d where d.message_id = ${Number(atob(id).slice('TicketMessage:'.length))}`;
    await ask(gateway, 'mutation ($input: DeliveryInput!) { retryDelivery(input: $input) { __typename } }', {
      input: { delivery: btoa(`Delivery:${row!.id}`) },
    });
    await until(gateway, id, ({ delivery }) => delivery!.state === 'FAILED');
    expect((await seen(gateway, id)).delivery!.failure).toBe(`requester@domain.com: ${reason}.`);
    expect(gateway.sink.mails.filter(({ source }) => source.includes(body))).toEqual([]);
  });

  test('a mail that is scheduled for tomorrow fails as soon as its file is found infected', async () => {
    const id = await say(gateway, [signature], { email: { ...email, holdSeconds: 3600 } });
    await until(gateway, id, inState('FAILED'));
  });

  test('a mail that is cancelled before the verdict stays cancelled, and goes on saying why', async () => {
    release = clamd.hold();
    const id = await say(gateway, [signature], { email });
    await clamd.arrived();
    const { messageId } = await ask<{ messageId: number }>(
      gateway,
      `{ node(id: "${id}") { ... on TicketMessage { messageId } } }`,
    );
    const [row] = await gateway.sql`select id from deliveries where message_id = ${messageId}`;
    const input = { delivery: btoa(`Delivery:${row!.id}`) };
    const cancel = 'mutation ($input: DeliveryInput!) { cancelDelivery(input: $input) { __typename } }';
    await ask(gateway, cancel, { input });
    release();
    expect((await until(gateway, id, scanned)).delivery).toMatchObject({
      state: 'CANCELLED',
      failure: 'Cancelled by an operator',
    });
  });

  test('a held mail keeps its time after its files are found clean', async () => {
    const id = await say(gateway, ['clean'], { email: { ...email, holdSeconds: 3600 } });
    await until(gateway, id, scanned);
    // That read may have seen the mail before the verdict, and the file after it.
    expect((await seen(gateway, id)).delivery).toMatchObject({ state: 'HELD', failure: null });
  });

  test('a download URL that was signed before the verdict stops working after it', async () => {
    release = clamd.hold();
    const id = await say(gateway, [`a${signature}`]);
    await clamd.arrived();
    const { url } = (await seen(gateway, id)).attachments[0]!;
    expect((await get(url!, null)).headers.get('content-disposition')).toMatch(/^attachment/);
    release();
    await until(gateway, id, scanned);
    expect((await get(url!, null)).status).toBe(404);
  });

  test('a file that a dead process leased before the clock was set back is scanned at once', async () => {
    const id = await say(gateway, ['clean']);
    await until(gateway, id, scanned);
    await gateway.sql`update attachments set scan = 'PENDING', scan_due_at = now() + interval '1 day'
      where scan = 'CLEAN'`;
    await gateway.sql`select pg_notify('ticketwire_scans', '')`;
    await until(gateway, id, scanned);
  });

  test('a picture is not shown in place before it is known to be clean', async () => {
    release = clamd.hold();
    const gif = 'GIF89a\x01\0\x01\0\0\0\0;';
    const added = await add(
      gateway,
      { attachments: [{ file: null }] },
      { files: [new File([gif], 'a.gif', { type: 'image/gif' })] },
    );
    await clamd.arrived();
    const { id } = added.ticketMessage;
    const { url } = (await seen(gateway, id)).attachments[0]!;
    expect((await get(url!, null)).headers.get('content-disposition')).toMatch(/^attachment/);
    release();
    await until(gateway, id, scanned);
    expect((await get(url!, null)).headers.get('content-disposition')).toMatch(/^inline/);
  });

  test('a file that is redacted while it waits for its scan stays redacted', async () => {
    release = clamd.hold();
    const id = await say(gateway, ['secret'], { email });
    await clamd.arrived();
    const attachment = (await seen(gateway, id)).attachments[0]!.id;
    await ask(
      gateway,
      'mutation ($input: RedactAttachmentInput!) { redactAttachment(input: $input) { __typename } }',
      { input: { attachment } },
    );
    const count = clamd.scanned.length;
    release();
    await eventually(() => clamd.scanned.length > count);
    // Whatever comes behind it has been settled, and so has this.
    await until(gateway, await say(gateway, ['next']), scanned);
    expect((await seen(gateway, id)).attachments[0]).toMatchObject({ scan: null, url: null });
    expect((await seen(gateway, id)).delivery!.state).toBe('CANCELLED');
  });

  test('a file that the scanner refuses waits with its mail, and the ledger shows the reason', async () => {
    const id = await say(gateway, ['a'.repeat(1001)], { email });
    const why = 'Waiting: its files could not be scanned yet (INSTREAM size limit exceeded. ERROR)';
    const waiting = await until(gateway, id, ({ delivery }) => delivery!.failure === why);
    expect(waiting).toMatchObject({ attachments: [{ scan: 'PENDING' }], delivery: { state: 'QUEUED' } });
    // Else it would wait beside the files of the other tests.
    const redact =
      'mutation ($input: RedactAttachmentInput!) { redactAttachment(input: $input) { __typename } }';
    await ask(gateway, redact, { input: { attachment: waiting.attachments[0]!.id } });
  });

  test('several processes scan each file once, and one whose process died is taken over', async () => {
    // What other tests left is scanned before.
    await eventually(
      async () => (await gateway.sql`select from attachments where scan = 'PENDING'`).length === 0,
    );
    const earlier = clamd.scanned.length;
    const BLOBS_URL = pathToFileURL(gateway.blobsDirectory).href;
    const env = { CLAMD_URL: clamd.url, ROLES: 'web', BLOBS_URL };
    await using _other = await startGateway({ env, database: gateway.database });
    const ids: string[] = [];
    const files = soaking ? 12 : 4;
    for (let n = 0; n < files; n += 1) ids.push(await say(gateway, [`file ${n}`]));
    for (const id of ids) await until(gateway, id, scanned);
    expect(clamd.scanned.slice(earlier).map(String).sort()).toEqual(ids.map((_, n) => `file ${n}`).sort());

    release = clamd.hold();
    const id = await say(gateway, ['twice']);
    await clamd.arrived();
    // As if its process had died a minute ago. Both processes get a result, which is reported once.
    await gateway.sql`update attachments set scan_due_at = now() where scan = 'PENDING'`;
    await gateway.sql`select pg_notify('ticketwire_scans', '')`;
    await eventually(async () => {
      const due = await gateway.sql`select from attachments where scan = 'PENDING' and scan_due_at <= now()`;
      return due.length === 0;
    });
    release();
    await until(gateway, id, scanned);
    await eventually(() => clamd.scanned.length >= earlier + files + 2);
    expect(await eventsOf(gateway, id)).toEqual(['MESSAGE_ADDED PUBLIC', 'ATTACHMENT_SCANNED PUBLIC']);
  });
});

test('while the scanner is down, files are downloads only, and mails wait with a reason', async () => {
  const first = await startClamd();
  const { port, url } = first;
  await first[Symbol.asyncDispose]();
  await using gateway = await startGateway({ env: { CLAMD_URL: url } });
  const id = await say(gateway, ['one'], { email });
  const waiting = await until(gateway, id, ({ delivery }) => /does not answer/.test(delivery!.failure ?? ''));
  expect(waiting).toMatchObject({
    attachments: [{ scan: 'PENDING' }],
    delivery: {
      state: 'QUEUED',
      failure: 'Waiting: its files could not be scanned yet (the scanner does not answer)',
    },
  });
  expect((await get(waiting.attachments[0]!.downloadUrl!, asOperator)).status).toBe(200);
  await using back = await startClamd({ port });
  await until(gateway, id, inState('SENT'));
  expect(back.scanned.map(String)).toEqual(['one']);
});

test('without a scanner nothing waits, and no scan state is shown', async () => {
  await using gateway = await startGateway();
  const id = await say(gateway, [signature], { email });
  const after = await until(gateway, id, inState('SENT'));
  expect(after.attachments).toMatchObject([{ scan: null }]);
});
