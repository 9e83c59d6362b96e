import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { statusOf } from '../../src/legacy/describe-refusal.ts';
import { attachmentMembers, postMembers } from '../../src/legacy/dotnet/new-message-post.ts';
import { samples } from '../../src/legacy/help/samples.ts';
import { errorCodes } from '../../src/platform/errors.ts';
import { cases } from './cases.ts';
import { startDoor } from './stand-in.ts';

interface Node {
  [key: string]: Node;
}

const source = readFileSync(new URL('../../schema/openapi.yaml', import.meta.url), 'utf8');
const document = parse(source) as Node;
const post = document.paths!['/api/Tickets/NewMessage']!.post!;

/** What a `$ref` within the document leads to. */
function resolve(node: Node): Node {
  const reference = node.$ref as unknown as string | undefined;
  if (reference === undefined) return node;
  expect(reference).toMatch(/^#\//);
  const target = reference
    .slice(2)
    .split('/')
    .reduce<Node | undefined>((at, key) => at?.[key], document);
  if (!target) throw new Error(`${reference} leads nowhere`);
  return resolve(target);
}

function* nodes(node: unknown): Iterable<Node> {
  if (node === null || typeof node !== 'object') return;
  yield node as Node;
  for (const child of Object.values(node)) yield* nodes(child);
}

/**
 * Checks a value against the few keywords of JSON Schema that the document uses. @returns what does not fit
 */
function misfits(value: unknown, schema: Node, at = ''): string[] {
  const { type, required, properties, items, additionalProperties, anyOf, minLength, maxItems } = resolve(
    schema,
  ) as Record<string, never>;
  const types: string[] = type === undefined ? [] : [type].flat();
  const actual =
    value === null
      ? 'null'
      : Array.isArray(value)
        ? 'array'
        : Number.isInteger(value)
          ? 'integer'
          : typeof value;
  if (types.length > 0 && !types.includes(actual)) return [`${at}: ${actual} is not ${types}`];
  const found: string[] = [];
  if (actual === 'string' && minLength !== undefined && (value as string).length < minLength)
    found.push(`${at}: too short`);
  if (actual === 'array') {
    const list = value as unknown[];
    if (maxItems !== undefined && list.length > maxItems) found.push(`${at}: too many`);
    if (items) found.push(...list.flatMap((item, i) => misfits(item, items, `${at}[${i}]`)));
  }
  if (actual === 'object') {
    const object = value as Record<string, unknown>;
    for (const name of (required ?? []) as string[]) if (!(name in object)) found.push(`${at}: no ${name}`);
    const options = (anyOf ?? []) as Node[];
    if (options.length > 0 && options.every((option) => misfits(value, option, at).length > 0))
      found.push(`${at}: no option`);
    for (const [name, member] of Object.entries(object)) {
      const known = (properties as Node | undefined)?.[name] ?? (additionalProperties as Node | undefined);
      if (known) found.push(...misfits(member, known, `${at}.${name}`));
      else if (properties) found.push(`${at}: ${name} is not described`);
    }
  }
  return found;
}

describe('the OpenAPI document', () => {
  test('has the shape of OpenAPI 3.1, and its references lead somewhere', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    for (const node of nodes(document)) if ('$ref' in node) resolve(node);
    for (const requirement of document.security as unknown as Node[]) {
      for (const name of Object.keys(requirement))
        expect(document.components!.securitySchemes).toHaveProperty(name);
    }
    expect(post.operationId).toBeTypeOf('string');
    for (const response of Object.values(post.responses!))
      expect(resolve(response).description).toBeTypeOf('string');
    // Merge keys are not YAML 1.2; other tools would stumble over them.
    expect(source).not.toContain('<<:');
  });

  test('describes the members that are bound, and no others', () => {
    const { NewMessagePost, NewAttachment } = document.components!.schemas!;
    expect(Object.keys(NewMessagePost!.properties!)).toEqual(Object.keys(postMembers));
    expect(Object.keys(NewAttachment!.properties!)).toEqual(Object.keys(attachmentMembers));
  });

  test('describes XML in the order in which it is read', () => {
    const { NewMessagePostXml, NewAttachmentXml } = document.components!.schemas!;
    const sorted = (members: object) => Object.keys(members).sort();
    expect(Object.keys(NewMessagePostXml!.properties!)).toEqual(sorted(postMembers));
    expect(Object.keys(NewAttachmentXml!.properties!)).toEqual(sorted(attachmentMembers));
    const { content } = post.requestBody as unknown as { content: Record<string, { schema: Node }> };
    for (const type of ['application/xml', 'text/xml'])
      expect(resolve(content[type]!.schema)).toBe(NewMessagePostXml);
  });

  test('has a body that generators type: each option is an object whole', () => {
    for (const name of ['NewMessagePost', 'NewMessagePostXml']) {
      const { anyOf, properties } = document.components!.schemas![name]!;
      for (const option of Object.values(anyOf!)) {
        expect(option).toMatchObject({ type: 'object', required: expect.arrayContaining(['Message']) });
        expect(option.properties).toEqual(properties);
      }
      // A default makes of a member that may be left out one that must be there.
      for (const member of Object.values(properties!)) expect(member).not.toHaveProperty('default');
    }
  });

  test('has examples that fit their schemas, those of XML too', () => {
    for (const node of nodes(document.paths)) {
      if (!node.schema || !resolve(node.schema).type) continue;
      const examples = Object.values(node.examples ?? {}).map(({ value }) => value);
      for (const example of 'example' in node ? [node.example] : examples)
        expect(misfits(example, node.schema)).toEqual([]);
    }
  });

  test('has examples and samples that fit its own schemas', () => {
    const { content } = post.requestBody as unknown as {
      content: Record<string, { schema: Node; examples: Record<string, { value: unknown }> }>;
    };
    expect(Object.keys(content)).toEqual(['application/json', 'text/json', 'application/xml', 'text/xml']);
    const { schema, examples } = content['application/json']!;
    for (const { value } of Object.values(examples)) expect(misfits(value, schema)).toEqual([]);
    expect(misfits(JSON.parse(samples.requestJson), schema)).toEqual([]);
    expect(misfits({ Message: 'x', TicketId: 'one' }, schema)).not.toEqual([]);
    expect(misfits({ Message: 'x' }, schema)).not.toEqual([]);
  });

  test('declares each observed answer: its status, media type, headers and body', () => {
    for (const { id, expect: expected, headers } of cases) {
      const declared = post.responses![String(expected.status)] ?? post.responses!.default!;
      const response = resolve(declared) as unknown as {
        content: Record<string, { schema: Node }>;
        headers: Record<string, Node>;
      };
      if (expected.contentType === null) continue;
      const mediaType = expected.contentType.split(';')[0]!;
      expect(Object.keys(response.content), id).toContain(mediaType);
      for (const name of ['Cache-Control', 'Pragma', 'Expires'])
        expect(response.headers, id).toHaveProperty(name);
      const body = expected.body ?? expected.bodyUtf16leWithBom;
      if (!mediaType.endsWith('json') || !body) continue;
      expect(
        misfits(JSON.parse(body), response.content[mediaType]!.schema),
        `${id} ${JSON.stringify(headers)}`,
      ).toEqual([]);
    }
  });

  test('declares the status of each refusal, as the help page does', async () => {
    await using door = await startDoor();
    const help = (await door.call({ method: 'GET', path: '/api' })).body.toString();
    for (const code of errorCodes) {
      const status = statusOf({ code });
      expect(post.responses, code).toHaveProperty(String(status));
      expect(help, code).toMatch(new RegExp(`<td>(?:\\d+, )*${status}\\b`));
    }
  });

  test('is served where the help page says', async () => {
    await using door = await startDoor();
    const answer = await door.call({ method: 'GET', path: '/api/openapi.yaml' });
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/yaml; charset=utf-8' },
    });
    expect(answer.body.toString()).toBe(source);
    expect((await door.call({ method: 'GET', path: '/api' })).body.toString()).toContain(
      'href="/api/openapi.yaml"',
    );
  });
});
