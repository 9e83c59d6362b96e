import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { runProgram } from '../clients/legacy/program.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

let gateway: Gateway;
let made: string;
beforeAll(async () => {
  gateway = await startGateway();
  made = await mkdtemp(join(tmpdir(), 'ticketwire-examples-'));
  process.env.TICKETWIRE_URL = gateway.url;
  process.env.TICKETWIRE_TOKEN = await tokenOfOperator();
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await rm(made, { recursive: true, force: true });
});

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
const messages = async () =>
  (
    await gateway.sql<{ body: string; files: number }[]>`
    select m.body, (select count(*)::int from attachments a where a.message_id = m.id) as files
    from messages m where m.ticket_id = 47 order by m.id`
  ).map(({ body, files }) => ({ body, files }));

async function tokenOfOperator(): Promise<string> {
  const [user] = await gateway.sql<{ id: number }[]>`select id from users where login = 'operator'`;
  const { token } = await createToken(gateway.database.database.desk, {
    ...{ userId: user!.id, name: 'example', scopes: ['read', 'write', 'mail'] },
  });
  return token;
}

test('node/reply.js adds and mails once for a key, and tells a refusal', async () => {
  const reply = (...words: string[]) => runProgram([process.execPath, example('node/reply.js'), ...words]);
  const before = (await messages()).length;
  const first = await reply('INC-000047', 'The part has arrived.', 'order-4711');
  const second = await reply('INC-000047', 'The part has arrived.', 'order-4711');
  expect(JSON.parse(first.out)).toMatchObject({
    replayed: false,
    delivery: { to: ['requester@domain.com'] },
  });
  expect(JSON.parse(second.out)).toMatchObject({ replayed: true });
  expect((await messages()).slice(before)).toEqual([{ body: 'The part has arrived.', files: 0 }]);
  const refused = await reply('INC-999999', 'x');
  expect([refused.succeeded, JSON.parse(refused.out).code]).toEqual([false, 'TICKET_NOT_FOUND']);
});

test('node/watch.js prints what happens in a ticket, through a restart of the gateway', async () => {
  const started = await startGateway({ env: { ROLES: 'web' }, database: gateway.database });
  const env = { ...process.env, TICKETWIRE_URL: started.url };
  const child = spawn(process.execPath, [example('node/watch.js'), 'INC-000048'], { env });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value } = await lines.next();
    return (JSON.parse(value!) as { ticketMessage: { bodyText: string } }).ticketMessage.bodyText;
  };
  const say = (to: Gateway, Message: string) => to.legacy({ TicketREF: 'INC-000048', Message });
  const seen: string[] = [];
  await say(started, 'before');
  while (seen.at(-1) !== 'before') seen.push(await next());
  const { port } = new URL(started.url);
  await started[Symbol.asyncDispose]();
  await say(gateway, 'meanwhile');
  const restarted = { env: { ROLES: 'web', PORT: port }, database: gateway.database };
  await using again = await startGateway(restarted);
  await say(again, 'after');
  expect([await next(), await next()]).toEqual(['meanwhile', 'after']);
  child.kill();
  const wrong = await runProgram([process.execPath, example('node/watch.js'), 'INC-999999']);
  expect([wrong.succeeded, wrong.error]).toEqual([false, 'There is no such ticket\n']);
});

const exe = () => join(made, 'NewMessage.exe');
const languages: Readonly<Record<string, { probe: () => string[]; command: () => string[] }>> = {
  Python: {
    probe: () => ['python3', '--version'],
    command: () => ['python3', example('legacy/new_message.py')],
  },
  PHP: {
    probe: () => ['php', '-r', 'curl_version();'],
    command: () => ['php', example('legacy/new_message.php')],
  },
  'C# (Mono)': {
    probe: () => ['mcs', '-r:System.Xml.Linq.dll', `-out:${exe()}`, example('legacy/NewMessage.cs')],
    command: () => ['mono', exe()],
  },
};

test.each(Object.entries(languages))(
  'legacy: %s adds a message with a file, and tells a refusal',
  async (name, { probe, command }) => {
    if (!(await runProgram(probe())).succeeded) {
      process.stdout.write(
        `${name} is not installed: apt-get install python3 php-cli php-curl mono-mcs mono-runtime\n`,
      );
      return;
    }
    const run = (ticket: string, ...more: string[]) =>
      runProgram([...command(), gateway.url, 'operator', 'operator', ticket, `Žádost od ${name}`, ...more]);
    const before = (await messages()).length;
    const added = await run('INC-000047', example('README.md'));
    expect(added).toMatchObject({ error: '', succeeded: true });
    expect(Number(added.out)).toBeGreaterThan(0);
    expect((await messages()).slice(before)).toEqual([{ body: `Žádost od ${name}`, files: 1 }]);
    const refused = await run('INC-999999');
    expect(refused.succeeded).toBe(false);
    expect(refused.error).toContain('The ticket was not found.');
  },
);
