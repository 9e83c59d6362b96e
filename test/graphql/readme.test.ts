import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { seedDemoDesk } from '../../src/dev/demo/desk.ts';
import { welcome } from '../../src/welcome.ts';
import { createTestDatabase } from '../support/database.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

/* What a newcomer copies from the README, or from what `npm start` prints, works as it stands there. */

const run = promisify(execFile);
const root = new URL('../..', import.meta.url);
const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** Each of a text's curls, with the lines that continue it. */
const curlsOf = (text: string): string[] => text.match(/^ *curl (?:.*\\\n)*.*$/gm) ?? [];
const origin = 'localhost:4000';

/** What comes back; of a subscription, which never ends by itself, within three seconds. */
async function answerOf(command: string): Promise<string> {
  const bounded = command
    .replaceAll(origin, new URL(gateway.url).host)
    .replace('curl ', command.includes('subscription') ? 'curl -s --max-time 3 ' : 'curl -s ');
  const failed = (error: { code: number; stdout: string }) => error;
  const { stdout, code = 0 } = {
    code: 0,
    ...(await run('bash', ['-c', bounded], { cwd: root }).catch(failed)),
  };
  // 28: curl's own time-out, which a live stream is ended by.
  expect([0, ...(command.includes('subscription') ? [28] : [])]).toContain(code);
  return stdout;
}

test.runIf(hasCurl)('every curl of the README does what it is there for', async () => {
  const curls = curlsOf(await readFile(new URL('README.md', root), 'utf8'));
  expect(curls.length).toBeGreaterThanOrEqual(4);
  for (const curl of curls) {
    const answer = await answerOf(curl);
    expect(answer).not.toMatch(/"errors"|"code":/);
    expect(answer).toMatch(/"ticketMessage":\{|"TicketMessageId":\d+/);
  }
});

test.runIf(hasCurl)('so does every curl that npm start prints', async () => {
  await using database = await createTestDatabase();
  const demo = await seedDemoDesk(database.database.desk);
  const printed = welcome(readConfig({}), { ...gateway.app, demo, url: `http://${origin}` });
  const curls = curlsOf(printed);
  expect(curls).toHaveLength(2);
  for (const curl of curls) expect(await answerOf(curl)).toMatch(/"messageId":\d+|"TicketMessageId":\d+/);
});

test('what is not served is not called GraphiQL', () => {
  const production = { DATABASE_URL: 'postgres://x', SMTP_URL: 'smtp://x' };
  const printed = (env: object) =>
    welcome(readConfig({ ...production, ...env }), { ...gateway.app, demo: undefined, url: 'http://x' });
  expect(printed({})).not.toContain('GraphiQL');
  expect(printed({ EXPLORER: '1' })).toContain('GraphiQL');
});
