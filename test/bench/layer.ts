/*
 * The GraphQL layer alone: R's bare node:http with our GraphQL handler. No sign-in, no request id, no log and
 * no database, none of which R's /nothing has either.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGraphqlServer } from '../../src/graphql/server.ts';
import { createLog } from '../../src/platform/log.ts';
import type { TicketContext } from '../../src/tickets/context.ts';

const log = createLog('silent');
const limits = { requestBytes: 8 << 20, responseBytes: 32 << 20 };
const readMultipart = () => Promise.reject(new Error('nobody sends files here'));
const graphql = createGraphqlServer({ log, production: true, ...limits, readMultipart });
const context = {
  requestId: 'bench',
  viewer: undefined,
  origin: 'http://localhost',
  now: () => new Date(),
  log,
  notes: { door: 'graphql' },
} as unknown as TicketContext;
const server = createServer((req, res) => void graphql.handle(req, res, async () => context));
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
