import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buildSchema, type GraphQLSchema, getVariableValues, parse, validate } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildExplorer, explorerDist } from '../../../src/dev/explorer/build.ts';
import { examples } from '../../../src/dev/explorer/examples/all.ts';
import { createFetcher } from '../../../src/dev/explorer/fetch/fetcher.ts';
import {
  findOperation,
  freePath,
  isUploadPath,
  uploadPlaces,
  withNulls,
} from '../../../src/dev/explorer/fetch/upload-paths.ts';
import { createExplorer, type ExplorerOptions } from '../../../src/dev/explorer/serve-page.ts';
import { eventually } from '../../support/eventually.ts';
import { startGateway } from '../../support/gateway.ts';

const schemaFile = new URL('../../../schema/schema.graphql', import.meta.url);

beforeAll(async () => {
  expect(['fresh', 'built']).toContain(await buildExplorer());
});

async function startExplorer(options?: ExplorerOptions) {
  const explorer = createExplorer(options);
  const server = createServer(async (req, res) => {
    const path = (req.url ?? '/').split('?')[0]!;
    if (!(await explorer(req, res, path))) res.writeHead(418).end('not the explorer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    get: (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      fetch(url + path, { headers, method }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

describe('the page', () => {
  test('is for whoever asks for HTML; every other request at /graphql is the endpoint’s', async () => {
    await using explorer = await startExplorer();
    expect((await explorer.get('/graphql', { accept: 'text/html,*/*;q=0.8' })).status).toBe(200);
    expect(
      (await explorer.get('/graphql', { accept: 'text/html' }, 'HEAD')).headers.get('content-type'),
    ).toContain('text/html');
    for (const accept of ['*/*', 'application/json', 'text/event-stream']) {
      expect((await explorer.get('/graphql', { accept })).status).toBe(418);
    }
    expect((await explorer.get('/graphql', { accept: 'text/html' }, 'POST')).status).toBe(418);
    expect((await explorer.get('/graphql/x', { accept: 'text/html' })).status).toBe(418);
  });

  test('runs scripts from its own files only, and cannot be framed', async () => {
    await using explorer = await startExplorer();
    const page = await explorer.get('/graphql', { accept: 'text/html' });
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.replace(/style-src [^;]*/, '')).not.toContain('unsafe');
    expect(policy).not.toMatch(/https?:|\*/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const text = await page.text();
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)(?![^>]*type="application\/json")/);
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  test('all its files together are 1.75 MB at most, as they are sent', async () => {
    const folder = join(explorerDist, 'assets');
    const sizes = (await readdir(folder)).map(async (file) => (await stat(join(folder, file))).size);
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    // `npm run test:axe` prints and bounds what a browser transfers for each page of the product.
    expect(bytes).toBeLessThanOrEqual(1_750_000);
  });

  test('holds the demo’s credential only when given one, and no text ends its script element', async () => {
    await using plain = await startExplorer();
    expect(await (await plain.get('/graphql', { accept: 'text/html' })).text()).not.toContain('Basic');
    await using demo = await startExplorer({
      demoAuthorization: "Basic </script><script>$&'",
      inboxPath: '/inbox/',
    });
    const page = await (await demo.get('/graphql', { accept: 'text/html' })).text();
    const [, json] = /<script type="application\/json" id="settings">(.*?)<\/script>/s.exec(page)!;
    expect(JSON.parse(json!)).toEqual({
      endpoint: '/graphql',
      authorization: "Basic </script><script>$&'",
      inbox: '/inbox/',
    });
  });

  test('its files may be kept for ever, and are the same with and without compression', async () => {
    await using explorer = await startExplorer();
    const page = await (await explorer.get('/graphql', { accept: 'text/html' })).text();
    const paths = [...page.matchAll(/(?:src|href)="(\/explorer\/[^"]+)"/g)].map(([, path]) => path!);
    expect(paths.length).toBeGreaterThan(2);
    for (const path of paths) {
      const digests = await Promise.all(
        ['br', 'identity', 'gzip, br;q=0'].map(async (encoding) => {
          const file = await explorer.get(path, { 'accept-encoding': encoding });
          expect(file.status).toBe(200);
          expect(file.headers.get('content-encoding')).toBe(encoding === 'br' ? 'br' : null);
          expect(file.headers.get('cache-control')).toContain('immutable');
          expect(file.headers.get('content-type')).toMatch(
            /^(text\/(javascript|css); charset=utf-8|image\/svg\+xml)$/,
          );
          return createHash('sha256')
            .update(Buffer.from(await file.arrayBuffer()))
            .digest('hex');
        }),
      );
      expect(new Set(digests).size).toBe(1);
    }
  });

  test('nothing but its files can be had', async () => {
    await using explorer = await startExplorer();
    for (const path of [
      '/explorer/',
      '/explorer/assets/',
      '/explorer/stamp',
      '/explorer/index.html',
      '/explorer/assets/..%2f..%2f..%2fpackage.json',
      '/explorer/__proto__',
    ]) {
      expect((await explorer.get(path)).status, path).toBe(404);
    }
    expect((await explorer.get('/explorer/assets/x.js', {}, 'DELETE')).status).toBe(405);
  });
});

describe('the examples', () => {
  let schema: GraphQLSchema;
  beforeAll(async () => {
    schema = buildSchema(await readFile(schemaFile, 'utf8'));
  });

  test.each(examples.map((example) => [example.operationName, example] as const))(
    '%s is valid against the schema, with its variables',
    (name, example) => {
      const document = parse(example.query);
      expect(validate(schema, document)).toEqual([]);
      const operation = findOperation(document)!;
      expect(operation.name?.value).toBe(name);
      const { errors } = getVariableValues(
        schema,
        operation.variableDefinitions ?? [],
        example.variables ?? {},
      );
      expect(errors ?? []).toEqual([]);
    },
  );

  /** What each says when it is run as it stands, if that is a refusal: it needs a value of another answer. */
  const refusals: Readonly<Record<string, string>> = {
    ReplyUnlessChanged: 'TICKET_CHANGED',
    SendPreviewed: 'INVALID_INPUT',
    CancelDelivery: 'DELIVERY_STATE',
    RetryDelivery: 'DELIVERY_STATE',
    ResolveDelivery: 'DELIVERY_STATE',
    RedactMessage: 'MESSAGE_NOT_FOUND',
  };

  test('run on the demo desk as they stand, in their order', async () => {
    await using gateway = await startGateway();
    const first = examples.find(({ operationName }) => operationName === 'ReplyByEmail')!;
    await gateway.graphql(first.query, first.variables);
    await eventually(
      async () => (await gateway.sql`select from deliveries where state = 'SENT'`).count === 1,
    );
    const run = examples.filter(({ query, takesFiles }) => !takesFiles && !query.startsWith('subscription'));
    const seen = [];
    for (const { operationName, query, variables } of run) {
      const { data, errors } = await gateway.graphql<Record<string, { code?: string } | null>>(
        query,
        variables,
      );
      seen.push({ operationName, errors, code: Object.values(data)[0]?.code });
    }
    expect(seen).toEqual(
      run.map(({ operationName }) => ({ operationName, errors: undefined, code: refusals[operationName] })),
    );
  });

  test('a file finds its place in the main mutation by itself', () => {
    const operation = findOperation(parse(examples.find((example) => example.takesFiles)!.query))!;
    expect(uploadPlaces(schema, operation)).toEqual([
      'input.attachments.*.file',
      'input.attachments.*.inline.file',
    ]);
  });
});

describe('where a file goes', () => {
  const schema = buildSchema(`
    scalar Upload
    input Loop { loop: Loop, file: Upload }
    type Query { a(file: Upload, files: [Upload!]!, loop: Loop, text: String): Int }
  `);
  const operation = findOperation(
    parse(
      'query Q($file: Upload, $files: [Upload!]!, $loop: Loop, $text: String) { a(file: $file, files: ' +
        '$files, loop: $loop, text: $text) }',
    ),
  )!;

  test('is every place of type Upload, and an input that holds itself comes to an end', () => {
    const places = uploadPlaces(schema, operation);
    expect(places).toEqual(expect.arrayContaining(['file', 'files.*', 'loop.file', 'loop.loop.file']));
    expect(places).not.toContain('text');
    expect(places.length).toBeLessThan(12);
    expect(isUploadPath(places, 'files.12')).toBe(true);
    expect(isUploadPath(places, 'files.x')).toBe(false);
    expect(isUploadPath(places, 'text')).toBe(false);
  });

  test('is the first one that neither another file nor the author has taken', () => {
    const places = ['input.attachments.*.file'];
    expect(freePath(places, new Set(), {})).toBe('input.attachments.0.file');
    expect(freePath(places, new Set(['input.attachments.0.file']), {})).toBe('input.attachments.1.file');
    expect(freePath(places, new Set(), { input: { attachments: [{ upload: 'VXBsb2FkOjE=' }] } })).toBe(
      'input.attachments.1.file',
    );
    expect(freePath(places, new Set(), { input: { attachments: [{ file: null }] } })).toBe(
      'input.attachments.0.file',
    );
    expect(freePath(['file'], new Set(['file']), {})).toBeUndefined();
  });

  test('becomes null in a copy of the variables, which stay as they were', () => {
    const variables = { input: { body: 'x' } };
    expect(withNulls(variables, ['input.attachments.0.file', 'input.attachments.1.file'])).toEqual({
      input: { body: 'x', attachments: [{ file: null }, { file: null }] },
    });
    expect(variables).toEqual({ input: { body: 'x' } });
    expect(withNulls(undefined, ['files.0'])).toEqual({ files: [null] });
  });
});

test('the operation that is sent is named as it is written, whatever name the page last knew', async () => {
  const bodies: { operationName?: string }[] = [];
  const server = createServer((req, res) => {
    req.on('data', (chunk) => bodies.push(JSON.parse(String(chunk)))).on('end', () => res.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fetcher = createFetcher({ endpoint, files: () => [] });
  await fetcher({ query: 'query New { viewer { login } }', operationName: 'LastTab' });
  await fetcher({ query: 'query A { a } query B { b }', operationName: 'B' });
  await fetcher({ query: '{ a }', operationName: 'LastTab' });
  expect(bodies.map(({ operationName }) => operationName)).toEqual(['New', 'B', undefined]);
  server.closeAllConnections();
  server.close();
});

describe('subscriptions', () => {
  test('arrive as server-sent events however they are split, and stop on request', async () => {
    let closed = false;
    const server = createServer((req, res) => {
      expect(req.headers.accept).toBe('text/event-stream');
      req.on('close', () => {
        closed = true;
      });
      res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      const text =
        ': hello\r\n\r\nevent: next\r\ndata: {"data":\r\ndata: {"n":"ž"}}\r\n\r\nevent: next\ndata: ' +
        '{"data":{"n":"2"}}\n\n';
      let at = 0;
      const bytes = Buffer.from(text);
      const timer = setInterval(() => {
        res.write(bytes.subarray(at, at + 3));
        at += 3;
        if (at >= bytes.length) clearInterval(timer);
      }, 1);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const fetcher = createFetcher({ endpoint, files: () => [] });
    const results = (await fetcher({ query: 'subscription S { n }' })) as AsyncIterable<unknown>;
    const iterator = results[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toEqual({ data: { n: 'ž' } });
    expect((await iterator.next()).value).toEqual({ data: { n: '2' } });
    const waiting = iterator.next();
    await iterator.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await expect.poll(() => closed).toBe(true);
    server.closeAllConnections();
    server.close();
  });
});
