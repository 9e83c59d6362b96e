import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { foldPath } from '../../src/legacy/dotnet/fold-path.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { call } from './stand-in.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const at = (path: string, headers: Record<string, string> = {}) =>
  call(Number(new URL(gateway.url).port), {
    path,
    headers: { Authorization: asOperator, 'Content-Type': 'application/json', ...headers },
    body: '{"TicketId":47,"Message":"x"}',
  });

describe('a path that leads to NewMessage behind IIS leads there', () => {
  test.each([
    '//api/Tickets/NewMessage',
    '///api///Tickets///NewMessage///',
    '/api//Tickets/NewMessage',
    '/api/Tickets//NewMessage/',
    '/api\\Tickets/NewMessage',
    '/\\api/Tickets/NewMessage',
    '/api/./Tickets/./NewMessage/.',
    '/api/Tickets/Other/../NewMessage',
    '/help/../api/Tickets/NewMessage',
    '/graphql/../api/Tickets/NewMessage',
    '/api/../api/Tickets/NewMessage',
    '/api%2FTickets%2fNewMessage',
    '/api%5CTickets%5cNewMessage',
    '/%61pi/Tickets/%4EewMessage',
    '/api/x/%2E%2e/Tickets/NewMessage',
    '//API//tickets//NEWMESSAGE//17?x=//y',
    '/api/Tickets/NewMessage/%E9',
    'http://old.example//api//Tickets/NewMessage',
  ])('%s', async (path) => {
    const answer = await at(path);
    expect(JSON.parse(answer.body.toString())).toEqual({ TicketMessageId: expect.any(Number) });
    expect(answer.status).toBe(200);
  });
});

describe('whatever is under /api is answered with a Message', () => {
  test.each([
    '//api/Tickets/Nope',
    '//api//',
    '/api/Tickets/NewMessage./',
    '/api/Tickets/NewMessage%20',
    '/api/Tickets./NewMessage',
    '/api/Tickets/NewMessage/...',
    '/api/Tickets/New%254Dessage',
    '/api/%zz/Tickets',
    '/api/../graphql',
    '/health/..\\api\\Nope',
    '/api/a//b/c/d/e',
    '/%61pi',
  ])('%s', async (path) => {
    const before = await gateway.counts();
    const json = await at(path);
    const xml = await at(path, { Accept: 'text/xml' });
    expect(await gateway.counts()).toEqual(before);
    if (json.status === 405) return expect(json.headers.allow).toContain('GET');
    expect([json.status, xml.status]).toEqual([404, 404]);
    expect(Object.keys(JSON.parse(json.body.toString()))).toEqual(['Message']);
    expect(xml.body.toString()).toMatch(/^<Error><Message>.+<\/Message><\/Error>$/s);
    expect(xml.headers['content-type']).toBe('text/xml; charset=utf-8');
  });
});

test('what is not under /api is not the old endpoint', async () => {
  for (const path of ['/apix/Tickets/NewMessage', '/x/api/Tickets/NewMessage', '/api%252FTickets', '/ap/i']) {
    const answer = await at(path);
    expect([path, answer.headers['content-type']]).toEqual([path, 'text/plain; charset=utf-8']);
  }
});

test('folding a folded path changes nothing', () => {
  for (const path of ['/', '/api', '/api/tickets/newmessage', '/graphql', '/a b', '/attachments/1/x.txt']) {
    expect(foldPath(path)).toBe(path);
  }
  for (const path of ['//a', '/a/', '/a/./b', '/%41', '/a\\b', '/..', '/a/..', '/a%2f%2e%2e%2fb']) {
    const once = foldPath(path);
    expect(foldPath(once)).toBe(once);
  }
});
