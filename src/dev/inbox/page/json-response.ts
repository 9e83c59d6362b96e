import type { IncomingMessage } from 'node:http';
import type { PageResponse } from '../../../pages/send-page.ts';

/** Whether a client accepts JSON, as programs do. Browsers that open a page do not. */
export const wantsJson = (req: IncomingMessage): boolean =>
  /\bapplication\/json\b/i.test(req.headers.accept ?? '');

/** A response of JSON, indented. @param status 200 by default */
export const json = (value: unknown, status = 200): PageResponse => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value, null, 2)}\n`,
});
