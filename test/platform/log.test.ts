import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createLog } from '../../src/platform/log.ts';

test('members that may hold a secret, a message or SQL are hidden at the top and one level below', () => {
  const lines = new PassThrough({ encoding: 'utf8' });
  const log = createLog('info', lines);
  const names = ['authorization', 'cookie', 'password', 'token', 'body', 'query', 'parameters', 'args'];
  const secrets = Object.fromEntries(names.map((name) => [name, 'hush']));
  log.info({ ...secrets, login: 'jane', request: { ...secrets, id: 7 } }, 'a request');
  const line = JSON.parse(lines.read());
  const hidden = Object.fromEntries(names.map((name) => [name, '[hidden]']));
  expect(line).toMatchObject({ ...hidden, login: 'jane', request: { ...hidden, id: 7 }, msg: 'a request' });
  expect(JSON.stringify(line)).not.toContain('hush');
});
