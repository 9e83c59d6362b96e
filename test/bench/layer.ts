/*
 * The GraphQL layer alone: the same bare node:http as R has, with our GraphQL door in it and nothing before it or behind it. No
 * signing in, no request id, no line in the log, no database: R's /nothing has none of these either.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGraphqlServer } from '../../src/graphql/server.ts';
import { createLog } from '../../src/log.ts';
import type { DeskContext } from '../../src/tickets/desk.ts';

const log = createLog('silent');
const graphql = createGraphqlServer({
  ...{
    log,
    production: true,
    keptAnswers: 1 << 20,
    requestBytes: 8 << 20,
    files: 1,
    multipartBytes: 8 << 20,
  },
});
const context = {
  requestId: 'bench',
  viewer: undefined,
  origin: 'http://localhost',
  now: () => new Date(),
  log,
} as unknown as DeskContext;
const server = createServer((req, res) => void graphql(req, res, context));
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
