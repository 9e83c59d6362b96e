import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { seedDemoDesk } from '../../src/dev/demo/seed-desk.ts';
import { welcome } from '../../src/welcome.ts';
import { createTestDatabase } from '../support/database.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

const run = promisify(execFile);
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

async function answerOf(command: string): Promise<string> {
  const { stdout } = await run('bash', ['-c', command.replaceAll(origin, new URL(gateway.url).host)]);
  return stdout;
}

test.runIf(hasCurl)('every curl that npm start prints does what it is there for', async () => {
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
