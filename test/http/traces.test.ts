import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openStream } from '../support/event-stream.ts';
import { asOperator, basic, startGateway } from '../support/gateway.ts';
import { add } from '../tickets/calls.ts';

/* What a receiver of OpenTelemetry's traces is sent. */

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly status: { readonly code?: number };
}

/** A receiver of OTLP over HTTP, in its JSON. */
async function startReceiver() {
  const spans: Span[] = [];
  const bodies: string[] = [];
  const server = createServer(async (req, res) => {
    const body = await text(req);
    bodies.push(body);
    expect([req.url, req.headers['content-type']]).toEqual(['/v1/traces', 'application/json']);
    for (const { scopeSpans } of JSON.parse(body).resourceSpans)
      for (const scope of scopeSpans) spans.push(...scope.spans);
    res.setHeader('Content-Type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('a request is one trace from HTTP to SQL, its mail is another; neither contains the text', async () => {
  await using receiver = await startReceiver();
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  {
    await using gateway = await startGateway({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
    const query = 'query Canary { ticket(by: { ticketId: 47 }) { subject } }';
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    await gateway.graphql(query, {}, { headers });
    await gateway.graphql('{ viewer { login } }', {}, { authorization: basic('operator', 'canary-pass') });
    await add(gateway, {
      ticket: { ticketId: 47 },
      body: 'canary-body',
      email: { from: 'company@domain.com', cc: ['canary-cc@domain.com'] },
    });
    await gateway.sink.received(1);
    await gateway.sql`alter table mailboxes rename column display_name to gone`;
    await gateway.graphql('query Fault { mailboxes { address } }');
  }
  const named = (name: string) => receiver.spans.filter((span) => span.name === name);
  const http = receiver.spans.find((span) => span.traceId === traceId && span.name === 'POST /graphql')!;
  expect(http.parentSpanId).toBe('00f067aa0ba902b7');
  const [graphql] = named('query Canary');
  expect([graphql!.traceId, graphql!.parentSpanId]).toEqual([traceId, http.spanId]);
  const statements = receiver.spans.filter(({ parentSpanId }) => parentSpanId === graphql!.spanId);
  expect(statements.map(({ name }) => name)).toContain('postgresql SELECT');
  const [attempt] = named('mail attempt');
  const steps = receiver.spans.filter(({ parentSpanId }) => parentSpanId === attempt!.spanId);
  expect(steps.map(({ name }) => name).sort()).toEqual(['ledger settle', 'smtp send']);
  expect(named('ledger fence')[0]!.parentSpanId).toBe(named('smtp send')[0]!.spanId);
  const [fault] = named('query Fault');
  const failed = receiver.spans.find(({ spanId }) => spanId === fault!.parentSpanId)!;
  expect(failed.status.code).toBe(2);
  const all = receiver.bodies.join('');
  for (const secret of ['canary', asOperator.slice(6), 'company@', 'select ', 'Olga'])
    expect(all).not.toContain(secret);
});

test('what happens in the desk is no part of the trace of who began to watch it', async () => {
  await using receiver = await startReceiver();
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  let watching = 0;
  {
    await using gateway = await startGateway({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
    const headers = { authorization: asOperator, traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const query = 'subscription { deskEvents { ticketMessage { bodyText } } }';
    const first = await openStream(gateway.url, { query }, headers);
    const later = await openStream(gateway.url, { query }, { authorization: asOperator });
    const tell = async (body: string) => {
      await add(gateway, { ticket: { ticketId: 47 }, body });
      for (const stream of [first, later]) expect((await stream.next())?.data).toMatchObject({ data: {} });
    };
    await tell('one');
    watching = Date.now();
    await tell('two');
    first.leave();
    later.leave();
  }
  const own = receiver.spans.filter((span) => span.traceId === traceId);
  expect(own.map(({ name }) => name)).toContain('POST /graphql');
  for (const { name, startTimeUnixNano } of own)
    expect([name, Number(startTimeUnixNano) / 1e6 <= watching]).toEqual([name, true]);
});

test('a receiver that is away costs the requests nothing, and holds up no end', async () => {
  await using gateway = await startGateway({
    env: { ROLES: 'web', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
  });
  expect((await gateway.graphql('{ viewer { login } }')).status).toBe(200);
});
