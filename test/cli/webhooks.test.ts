import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { readConfig } from '../../src/config.ts';
import { createTestDatabase } from '../support/database.ts';
import { startReceiver, verify } from '../webhooks/receiver.ts';

/** A desk, and `ticketwire webhook …` on it, with --json. */
async function createWorld(env: Record<string, string> = {}) {
  const world = await createTestDatabase();
  const { desk, raw } = world.database;
  const webhook = async (argv: string) => {
    const streams = { stdin: Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough() };
    const code = await run(['webhook', ...argv.split(' '), '--json'], streams, {
      env,
      open: async () => ({ db: desk, sql: raw, config: readConfig(env), async [Symbol.asyncDispose]() {} }),
    });
    const out = String(streams.stdout.read() ?? '');
    return { code, json: out === '' ? undefined : JSON.parse(out), err: String(streams.stderr.read() ?? '') };
  };
  return { webhook, raw, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

test('without --private, an endpoint for events of mails is refused: it would never get one', async () => {
  await using world = await createWorld();
  const add = 'add https://domain.com/hook --type MESSAGE_ADDED --type DELIVERY_FAILED';
  expect(await world.webhook(add)).toMatchObject({
    code: 2,
    err: expect.stringContaining('Events of mails are private: add --private for DELIVERY_FAILED'),
  });
  expect((await world.webhook('list')).json).toEqual([]);
  expect(await world.webhook(`${add} --private`)).toMatchObject({ code: 0 });
});

test('each command does what it says, and what changes something is audited', async () => {
  await using receiver = await startReceiver();
  await using world = await createWorld({ WEBHOOK_PRIVATE_ADDRESSES: '1' });
  const { webhook, raw } = world;
  const url = `${receiver.url}/a?key=CANARY`;
  const added = await webhook(`add ${url} --type MESSAGE_ADDED --type TICKET_CLOSED`);
  const { secret } = added.json;
  expect(added.json).toEqual({
    id: 1,
    url,
    types: ['MESSAGE_ADDED', 'TICKET_CLOSED'],
    includesPrivate: false,
    secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
  });
  expect(await webhook('test 1')).toMatchObject({ code: 0, json: { id: 1, status: 204 } });
  const [tested] = await receiver.has(1);
  expect(JSON.parse(tested!.body).type).toBe('TEST');
  expect(await verify(tested!, secret)).toEqual([true]);
  const { json: rotated } = await webhook('rotate 1 --hours 1');
  receiver.respond = (res) => void res.writeHead(302, { Location: '/' }).end();
  expect(await webhook('test 1')).toMatchObject({ code: 1, json: { status: 302 } });
  const [, again] = await receiver.has(2);
  expect(await verify(again!, rotated.secret)).toEqual([true, false]);
  await webhook('disable 1');
  const listed = await webhook('list');
  expect(listed.json).toMatchObject([{ id: 1, url, state: 'DISABLED', disabledReason: 'OPERATOR' }]);
  expect(JSON.stringify(listed.json)).not.toContain('whsec_');
  await webhook('enable 1 --skip');
  expect((await webhook('list')).json).toMatchObject([{ state: 'ENABLED', disabledReason: null }]);
  await webhook('remove 1');
  expect((await webhook('list')).json).toEqual([]);
  const audits = await raw`select action, details from audit_entries order by id`;
  expect(audits.map(({ action }) => action)).toEqual([
    ...['WEBHOOK_ADDED', 'WEBHOOK_SECRET_ROTATED', 'WEBHOOK_DISABLED', 'WEBHOOK_ENABLED', 'WEBHOOK_REMOVED'],
  ]);
  expect(JSON.stringify(audits)).not.toMatch(/CANARY|whsec_/);
});

describe('what is impossible', () => {
  let world: Awaited<ReturnType<typeof createWorld>>;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test.each([
    ['add https://127.0.0.1/', 'private address'],
    ['add http://example.com/', 'https://'],
    ['add https://example.com/ --type NOTHING', 'NOTHING'],
    ['test 7', 'no webhook 7'],
    ['enable 7', 'no webhook 7'],
    ['rotate 7', 'no webhook 7'],
    ['remove x', 'whole number'],
  ])('`webhook %s` says what is wrong', async (argv, text) => {
    const { code, err } = await world.webhook(argv);
    expect(code).not.toBe(0);
    expect(err).toContain(text);
  });
});
