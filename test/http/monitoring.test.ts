import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { asOperator, asRequester, basic, type Gateway, startGateway } from '../support/gateway.ts';
import { keepLog } from '../support/observed/log-lines.ts';
import { scrape, sumOf } from '../support/observed/prometheus.ts';
import { add } from '../tickets/calls.ts';

/* What monitoring sees of a gateway: log lines, metrics, readiness. */

const token = 'token-for-Prometheus';
const kept = keepLog('debug');
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    env: { METRICS_TOKEN: token, TRUST_PROXY: '0', MAIL_STALLED_MINUTES: '15' },
    overrides: { log: kept.log },
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const lineOf = async (requestId: string) => {
  await expect.poll(() => kept.lines.some((line) => line.requestId === requestId)).toBe(true);
  return kept.lines.find((line) => line.requestId === requestId && line.msg === 'request')!;
};
const as = (requestId: string, authorization: string | null = asOperator) => ({
  authorization,
  headers: { 'x-request-id': requestId },
});
const operatorId = async () =>
  (await gateway.sql<{ id: number }[]>`select id from users where login = 'operator'`)[0]!.id;

test("a request's line says the door, the operation, who asked, and the code of a refusal", async () => {
  const mutation = `mutation Answer($input: AddTicketMessageInput!) {
    addTicketMessage(input: $input) { __typename } }`;
  const input = { ticket: { ticketId: 999_999 }, body: 'Is anybody there?' };
  await gateway.graphql(mutation, { input }, as('line-refused'));
  expect(await lineOf('line-refused')).toMatchObject({
    ...{ door: 'graphql', kind: 'mutation', operation: 'Answer', viewerId: await operatorId() },
    ...{ status: 200, outcome: 'refused', codes: ['TICKET_NOT_FOUND'], method: 'POST', level: 30 },
    ms: expect.any(Number),
  });
  await gateway.legacy({ TicketREF: 'INC-999999', Message: 'Hello?' }, as('line-legacy'));
  expect(await lineOf('line-legacy')).toMatchObject({
    ...{ door: 'legacy', operation: 'AddLegacyMessage', viewerId: await operatorId() },
    ...{ status: 400, outcome: 'refused', codes: ['TICKET_NOT_FOUND'] },
  });
  await gateway.graphql('{ nope }', {}, as('line-invalid'));
  expect(await lineOf('line-invalid')).toMatchObject({ codes: ['GRAPHQL_VALIDATION_FAILED'] });
  await fetch(`${gateway.url}/uploads`, {
    method: 'POST',
    headers: { 'x-request-id': 'line-upload', 'content-type': 'text/plain' },
    body: 'x',
  });
  expect(await lineOf('line-upload')).toMatchObject({
    ...{ door: 'uploads', status: 401, outcome: 'unauthenticated', codes: ['UNAUTHENTICATED'] },
  });
  await gateway.graphql('{ viewer { login } }', {}, as('line-fine'));
  const fine = await lineOf('line-fine');
  expect(fine).toMatchObject({ outcome: 'ok', operation: 'anonymous', kind: 'query' });
  expect(fine).not.toHaveProperty('codes');
});

test('a line has no name of a file, and no more than the beginning of a long path', async () => {
  const ask = (path: string, id: string) =>
    fetch(`${gateway.url}${path}`, { headers: { 'x-request-id': id, authorization: asOperator } });
  const signed = '{ ticket(by: { ticketId: 5 }) { messages(first: 5) { nodes { attachments { url } } } } }';
  interface Page {
    ticket: { messages: { nodes: { attachments: { url: string }[] }[] } };
  }
  const input = { ticket: { ticketId: 5 }, body: 'A file', attachments: [{ file: null }] };
  const file = new File(['x'], 'Diagnóza jane@domain.com.txt', { type: 'text/plain' });
  await gateway.graphql(
    'mutation($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }',
    { input },
    { files: [file] },
  );
  const { data } = await gateway.graphql<Page>(signed);
  const { pathname, search } = new URL(
    data.ticket.messages.nodes.flatMap((node) => node.attachments)[0]!.url,
  );
  expect(pathname).toContain('Diagn');
  expect((await ask(`${pathname}${search}`, 'line-named-file')).status).toBe(200);
  expect((await lineOf('line-named-file')).path).toBe(pathname.split('/').slice(0, 3).join('/'));
  await ask(`/${'p'.repeat(20_000)}`, 'line-long-path');
  expect((await lineOf('line-long-path')).path).toBe(`/${'p'.repeat(199)}…`);
});

test('a fault is one in the line and in the metrics, although GraphQL answers it with 200', async () => {
  await gateway.sql`alter table mailboxes rename column display_name to gone`;
  try {
    const answer = await gateway.graphql('{ mailboxes { address } }', {}, as('line-fault'));
    expect(answer.status).toBe(200);
  } finally {
    await gateway.sql`alter table mailboxes rename column gone to display_name`;
  }
  expect(await lineOf('line-fault')).toMatchObject({ outcome: 'fault', codes: ['INTERNAL'] });
  const metrics = await scrape(gateway.url);
  expect(sumOf(metrics, 'ticketwire_http_requests_total', 'outcome="fault"')).toBe(1);
});

test('a refused sign-in is logged with reason and address, without the credential', async () => {
  const offered = ['Bearer tw_secret-that-was-offered', basic('operator', 'guess-that-was-made'), 'Basic !'];
  for (const authorization of offered) await gateway.graphql('{ viewer { login } }', {}, { authorization });
  const lines = kept.named('sign-in refused');
  expect(lines.map(({ reason, address }) => [reason, address])).toEqual([
    ['unknown_token', '127.0.0.1'],
    ['wrong_password', '127.0.0.1'],
    ['malformed', '127.0.0.1'],
  ]);
  expect(lines[1]).toMatchObject({ userId: await operatorId() });
  expect(JSON.stringify(kept.lines)).not.toMatch(/was-offered|was-made|Z3Vlc3M/);
  const metrics = await scrape(gateway.url);
  expect(sumOf(metrics, 'ticketwire_sign_ins_refused_total', 'reason="wrong_password"')).toBe(1);
});

test('an attempt to send is a line with its phase and outcome, and counted with its time', async () => {
  const mailed = (body: string) =>
    add(gateway, { ticket: { ticketId: 47 }, body, email: { from: 'company@domain.com' } });
  await mailed('It goes out');
  await expect.poll(() => kept.named('mail attempt').length).toBe(1);
  gateway.sink.setFaults([{ at: 'RCPT', reply: '550 5.1.1 No such user' }]);
  await mailed('It does not');
  await expect.poll(() => kept.named('mail attempt').length).toBe(2);
  gateway.sink.setFaults([]);
  const [mailbox] = await gateway.sql`select id from mailboxes where address = 'company@domain.com'`;
  const lines = kept.named('mail attempt');
  expect(lines[0]).toMatchObject({
    ...{ level: 30, mailboxId: mailbox!.id, phase: 'SETTLED', outcome: 'SENT', attempt: 1 },
    ms: expect.any(Number),
  });
  expect(lines[1]).toMatchObject({ level: 40, phase: 'ENVELOPE', outcome: 'FAILED', codes: ['5.1.1'] });
  const metrics = await scrape(gateway.url);
  const counted = (outcome: string) =>
    sumOf(metrics, 'ticketwire_mail_attempts_total', `outcome="${outcome}"`);
  expect([counted('SENT'), counted('FAILED')]).toEqual([1, 1]);
  expect(sumOf(metrics, 'ticketwire_mail_attempt_duration_seconds_count')).toBe(2);
});

test('the metrics tell the outbox by state, the pools, who watches, and how late they hear', async () => {
  const before = await scrape(gateway.url);
  const query = 'subscription { ticketEvents(ticket: { ticketId: 3 }) { cursor type } }';
  const stream = await openStream(gateway.url, { query }, { authorization: asOperator });
  await expect
    .poll(async () => sumOf(await scrape(gateway.url), 'ticketwire_event_streams'))
    .toBe(sumOf(before, 'ticketwire_event_streams') + 1);
  await add(gateway, {
    ticket: { ticketId: 3 },
    body: 'Later',
    email: { from: 'company@domain.com', holdSeconds: 3600 },
  });
  // The gateway's clock may be ahead by a round trip; events that seem older than the stream are left out.
  await eventually(async () => {
    await add(gateway, { ticket: { ticketId: 3 }, body: 'Later still' });
    return sumOf(await scrape(gateway.url), 'ticketwire_event_lag_seconds_count') > 0;
  });
  await expect
    .poll(async () => sumOf(await scrape(gateway.url), 'ticketwire_outbox_deliveries', 'state="HELD"'))
    .toBe(1);
  stream.leave();
  const metrics = await scrape(gateway.url);
  expect(metrics.get('ticketwire_database_up')).toEqual(new Map([['', 1]]));
  expect(sumOf(metrics, 'ticketwire_outbox_deliveries', 'state="OUTCOME_UNKNOWN"')).toBe(0);
  for (const pool of ['desk', 'writer', 'operators', 'commands', 'mail'])
    expect(sumOf(metrics, 'ticketwire_database_connections', `pool="${pool}"`)).toBeGreaterThan(0);
  expect(metrics.has('process_cpu_seconds_total')).toBe(true);
});

test("what the old endpoint's callers use is counted once, however often the metrics are read", async () => {
  const fields = async (name: string) =>
    sumOf(await scrape(gateway.url), 'ticketwire_legacy_fields_total', `field="${name}"`);
  const before = await fields('IsPrivate');
  for (let call = 0; call < 3; call += 1) {
    await gateway.legacy({ TicketREF: 'INC-000047', Message: 'Hello?', IsPrivate: true });
    expect(await fields('IsPrivate')).toBe(before + call + 1);
  }
  expect(await fields('IsPrivate')).toBe(before + 3);
  expect(await fields('Html')).toBe(0);
});

test('metrics are for this machine, or for whoever has the token', async () => {
  const ask = (headers: Record<string, string>) =>
    fetch(`${gateway.url}/metrics`, { headers }).then(({ status }) => status);
  expect(await ask({})).toBe(200);
  const throughProxy = { 'x-forwarded-for': '203.0.113.9' };
  expect(await ask(throughProxy)).toBe(401);
  expect(await ask({ ...throughProxy, authorization: `Bearer ${token}x` })).toBe(401);
  expect(await ask({ ...throughProxy, authorization: asOperator })).toBe(401);
  expect(await ask({ ...throughProxy, authorization: `Bearer ${token}` })).toBe(200);
  // A page of another site that has its name lead here.
  const { promise, resolve } = Promise.withResolvers<number>();
  const { port } = new URL(gateway.url);
  request({ port, path: '/metrics', headers: { host: 'evil.example' } }, (res) => {
    res.resume();
    resolve(res.statusCode!);
  }).end();
  expect(await promise).toBe(401);
});

test('another method than a page has is told the methods that there are', async () => {
  const read = 'GET, HEAD';
  const probed = 'GET, HEAD, OPTIONS';
  for (const [path, allow] of [
    ['/', read],
    ['/metrics', read],
    ['/health/live', probed],
    ['/health/ready', probed],
  ] as const) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const authorization = `Bearer ${token}`;
      const { status, headers } = await fetch(gateway.url + path, { method, headers: { authorization } });
      const isAllowed = allow.split(', ').includes(method);
      expect([path, method, status, headers.get('allow')]).toEqual(
        isAllowed ? [path, method, 200, null] : [path, method, 405, allow],
      );
    }
  }
});

test('readiness is degraded while mail that should go has not moved, and stays 200', async () => {
  const readiness = async () => {
    const response = await fetch(`${gateway.url}/health/ready`);
    return { http: response.status, ...((await response.json()) as object) };
  };
  const waits = {
    ticket: { ticketId: 47 },
    body: 'Later',
    email: { from: 'company@domain.com', holdSeconds: 600 },
  };
  expect(await add(gateway, waits)).toMatchObject({ delivery: { state: 'HELD' } });
  await expect.poll(readiness).toMatchObject({ http: 200, status: 'ready', mail: 'ok' });
  // As if no worker had run since this morning: a mail waits, and none was sent.
  await gateway.sql`update delivery_recipients set sent_at = sent_at - interval '2 hours'`;
  await gateway.sql`
    update deliveries set due_at = now() + interval '1 minute', attempts = 3, state = 'DEFERRED',
      give_up_at = now() + interval '5 days' - interval '1 hour' where state = 'HELD'`;
  await expect.poll(readiness).toMatchObject({ http: 200, status: 'degraded', mail: 'degraded' });
  const stalled = async () => sumOf(await scrape(gateway.url), 'ticketwire_mail_stalled_seconds');
  expect(await stalled()).toBeGreaterThan(3500);
  await gateway.sql`update deliveries set state = 'CANCELLED' where state = 'DEFERRED'`;
  await expect.poll(readiness).toMatchObject({ http: 200, status: 'ready', mail: 'ok' });
});

test("a requester's own requests name them by their number alone", async () => {
  await gateway.graphql('{ viewer { login } }', {}, as('line-requester', asRequester));
  const line = await lineOf('line-requester');
  expect(Object.keys(line)).not.toContain('login');
  expect(line.viewerId).toEqual(expect.any(Number));
});

test('a process that only sends mail has health and metrics of its own, and nothing else', async () => {
  await using worker = await startGateway({ env: { ROLES: 'worker', WORKER_PORT: '0' } });
  const { url, monitorUrl } = worker.app;
  expect(url).toBeUndefined();
  const get = async (path: string) => {
    const response = await fetch(`${monitorUrl}${path}`);
    return { status: response.status, text: await response.text() };
  };
  expect(await get('/health/live')).toEqual({ status: 200, text: '{"status":"live"}' });
  expect(JSON.parse((await get('/health/ready')).text)).toMatchObject({ status: 'ready', database: 'ok' });
  expect((await get('/metrics')).text).toContain('ticketwire_outbox_deliveries{state="QUEUED"} 0');
  expect((await get('/graphql')).status).toBe(404);
});
