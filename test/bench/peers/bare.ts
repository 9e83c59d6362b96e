/*
 * R: what the work costs at least. Bare node:http, the same data-modifying statement for one message at a
 * time, prepared, and postgres.js without Drizzle around it. No GraphQL, no signing in, no check of the
 * input.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { appRole } from '../../../src/db/database.ts';
import { joinPieces } from '../../../src/db/driver/join-pieces.ts';
import { messageIdOf } from '../../../src/mail/compose/headers.ts';
import type { MessageRow } from '../../../src/tickets/add-message/columns.ts';
import { prepareAppend } from '../../../src/tickets/add-message/commit/append-statement.ts';
import { plainMessage } from '../../mail/world/parts.ts';

const options = { max: Number(process.env.DATABASE_POOL) };
const sql = postgres({
  ...options,
  connection: { role: appRole, 'ticketwire.viewer_role': 'DESK' } as object,
  // JSON is made below; made again here, it would be a string.
  types: { json: { to: 114, from: [114], serialize: (text: string) => text, parse: JSON.parse } },
});
// The statement's text is taken from the gateway, so that it cannot differ. The placeholders are `rows` and
// `sendsByDefault`.
const { sql: pieces, params } = prepareAppend(drizzle(postgres(options)), {
  rows: 'plain',
  waits: true,
}).getQuery();
const text = joinPieces(pieces);
const placeOf = params.map((param) => (param as { name?: string }).name);

interface Asked {
  ticketId: number;
  body: string;
  cc: string[];
  from: string;
  key: string;
}

async function append(asked: Asked): Promise<object> {
  const copies = asked.cc.map((address) => ({ kind: 'CC' as const, address, key: address }));
  const row: MessageRow = {
    ticketId: asked.ticketId,
    viewerId: 1,
    isOperator: true,
    ...plainMessage(asked.body),
    idempotencyKey: asked.key,
    fingerprint: createHash('sha256').update(asked.body).digest('hex'),
    from: asked.from,
    mailBytes: asked.body.length * 2,
    signatureFactor: 3,
    quote: 'NONE',
    rfcMessageId: messageIdOf(randomUUID(), asked.from),
    autoSubmitted: false,
    cancelIf: [],
    copies,
    copyKeys: copies.map(({ key }) => key),
  };
  const values: Record<string, unknown> = { rows: JSON.stringify([row]), sendsByDefault: true };
  const [answer] = await sql.unsafe(text, placeOf.map((name) => values[name!]) as never[], { prepare: true });
  return answer!;
}

function answer(res: ServerResponse, body: string): void {
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

/** With the headers that every response of /graphql has. */
function answerWithHeaders(res: ServerResponse, body: string): void {
  res.writeHead(200, {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    vary: 'Accept, Authorization',
  });
  res.end(body);
}

const nothing = '{"data":{"__typename":"Query"}}';
const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => {
    const asked = JSON.parse(Buffer.concat(chunks).toString());
    // What bare node:http costs, to compare the GraphQL layer with.
    if (req.url === '/nothing') return answer(res, nothing);
    if (req.url === '/nothing-with-headers') return answerWithHeaders(res, nothing);
    append(asked).then(
      (row) => answer(res, JSON.stringify(row)),
      (error) => res.writeHead(500).end(String(error)),
    );
  });
});
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
