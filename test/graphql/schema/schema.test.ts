import { readFile } from 'node:fs/promises';
import {
  buildSchema,
  type GraphQLInputType,
  type GraphQLScalarType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  isUnionType,
  lexicographicSortSchema,
  parseValue,
  printSchema,
  valueFromAST,
} from 'graphql';
import { expect, test } from 'vitest';
import { schema } from '../../../src/graphql/execute/schema.ts';
import { errorCodes } from '../../../src/platform/errors.ts';
import { IncomingFile } from '../../../src/platform/incoming-file.ts';
import { refusedBy } from '../../../src/tickets/refusals-by-command.ts';

interface Element {
  readonly name: string;
  readonly description: string | null | undefined;
}

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
);

/** Everything in the schema that can have a description. */
function* elements(): Iterable<Element> {
  yield { name: 'schema', description: schema.description };
  for (const type of types) {
    yield type;
    const named = ({ name, description }: Element) => ({ name: `${type.name}.${name}`, description });
    if (isEnumType(type)) for (const value of type.getValues()) yield named(value);
    if (isInputObjectType(type)) for (const field of Object.values(type.getFields())) yield named(field);
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      yield named(field);
      for (const { name, description } of field.args)
        yield { name: `${type.name}.${field.name}(${name}:)`, description };
    }
  }
}

test('every element is described in a sentence', () => {
  const all = [...elements()];
  const undescribed = all.filter(
    ({ description }) => !/^[`A-Z0-9].*[.:)`]$/s.test(description?.trim() ?? ''),
  );
  expect(undescribed.map(({ name, description }) => [name, description])).toEqual([]);
  expect(all.length).toBeGreaterThan(428);
});

test('every input has an example that the schema takes', () => {
  const inputs = types.filter(isInputObjectType);
  expect(inputs.length).toBeGreaterThan(5);
  const file = new IncomingFile('a.txt', 'text/plain', Promise.reject(new Error('nobody reads it')));
  for (const type of inputs) {
    const example = /Example: `(\{.*?\})`[.,]/.exec(type.description ?? '')?.[1];
    const value = example === undefined ? undefined : valueFromAST(parseValue(example), type, { file });
    expect([type.name, example, value]).toEqual([type.name, example, expect.any(Object)]);
  }
});

test('the schema’s description names its doors, refusals, cursors, limits and scopes', () => {
  const text = schema.description!;
  const words = ['addTicketMessage', '/graphql', 'text/event-stream', '/api/Tickets/NewMessage', 'UserError'];
  for (const word of [...words, 'INVALID_INPUT', '100', '120,000', 'READ', 'WRITE', 'MAIL', 'ADMIN'])
    expect(text).toContain(word);
});

test('no field of an input insists on what has a default: null means it', () => {
  const insisting = types
    .filter(isInputObjectType)
    .flatMap((type) => Object.values(type.getFields()).map((field) => ({ type, field })))
    .filter(({ field }) => field.defaultValue !== undefined && isNonNullType(field.type));
  expect(insisting.map(({ type, field }) => `${type.name}.${field.name}`)).toEqual([]);
  const args = types
    .filter(isObjectType)
    .flatMap((type) => Object.values(type.getFields()).flatMap((field) => field.args));
  expect(args.filter((arg) => arg.defaultValue !== undefined && isNonNullType(arg.type))).toEqual([]);
});

test('a query field that may refuse is null then, and takes nothing else with it', () => {
  const fields = Object.values(schema.getQueryType()!.getFields());
  const nonNull = fields.filter(({ type }) => isNonNullType(type)).map(({ name }) => name);
  // It refuses by a member of its result.
  expect(nonNull).toEqual(['previewTicketMessage']);
});

test('connections, enums and scalars have names and forms that clients expect', () => {
  const names = types.map(({ name }) => name);
  expect(names.filter((name) => /Connection|Edge/.test(name)).sort()).toEqual([
    ...['DeliveryConnection', 'DeliveryEdge', 'SearchConnection', 'SearchEdge'],
    ...['TicketConnection', 'TicketEdge'],
    ...['TicketMessageConnection', 'TicketMessageEdge'],
  ]);
  const values = (name: string) => {
    const type = schema.getType(name);
    return isEnumType(type) ? type.getValues().map((value) => value.name) : [];
  };
  expect(values('Scope').sort()).toEqual(['ADMIN', 'MAIL', 'READ', 'WRITE']);
  const typeOf = (type: string, field: string) => {
    const owner = schema.getType(type);
    return isObjectType(owner) ? String(owner.getFields()[field]?.type) : undefined;
  };
  expect(typeOf('Warning', 'code')).toBe('WarningCode!');
  expect(typeOf('DeliveryStateError', 'state')).toBe('DeliveryState!');
  for (const type of ['Person', 'Viewer', 'Mailbox'])
    expect([type, typeOf(type, 'id')]).toEqual([type, 'ID!']);
  const scalars = types.filter((type): type is GraphQLScalarType => isScalarType(type));
  for (const { name, specifiedByURL } of scalars)
    expect([name, specifiedByURL]).toEqual([name, expect.stringMatching(/^https:\/\//)]);
});

test('each code is a member of the result of every command that refuses with it, and of some command', () => {
  const unions = {
    addTicketMessage: 'AddTicketMessageResult',
    previewTicketMessage: 'PreviewTicketMessageResult',
    uploadFile: 'UploadFileResult',
    changeDelivery: 'DeliveryResult',
    redactMessage: 'RedactMessageResult',
    redactAttachment: 'RedactAttachmentResult',
    setTicketStatus: 'SetTicketStatusResult',
    markSeen: 'MarkSeenResult',
  };
  for (const code of errorCodes) {
    expect([code, refusedBy[code].length]).not.toEqual([code, 0]);
    const name = code.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
    const member = `${name}Error`;
    for (const command of refusedBy[code]) {
      const union = schema.getType(unions[command]);
      const members = isUnionType(union) ? union.getTypes().map(({ name }) => name) : [];
      expect([command, members]).toEqual([command, expect.arrayContaining([member])]);
    }
  }
});

test('schema.graphql is the served schema, and defines @oneOf for tools that do not know it', async () => {
  const text = await readFile(new URL('../../../schema/schema.graphql', import.meta.url), 'utf8');
  expect(text).toContain('directive @oneOf on INPUT_OBJECT');
  expect(text).toContain('scalar DateTime @specifiedBy(url: "https://');
  const read = buildSchema(text);
  expect(printSchema(lexicographicSortSchema(read))).toBe(printSchema(lexicographicSortSchema(schema)));
  const oneOf = (of: typeof schema) =>
    Object.values(of.getTypeMap()).filter((type) => isInputObjectType(type) && type.isOneOf);
  expect(
    oneOf(read)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(
    oneOf(schema)
      .map(({ name }) => name)
      .sort(),
  );
});

test('what lists an input may have is capped: each list is known to the test of its cap', () => {
  const isList = (type: GraphQLInputType): boolean =>
    isNonNullType(type) ? isList(type.ofType) : String(type).startsWith('[');
  const lists = [
    ...types
      .filter(isInputObjectType)
      .flatMap((type) =>
        Object.values(type.getFields()).map(({ name, type: of }) => [`${type.name}.${name}`, of] as const),
      ),
    ...types
      .filter(isObjectType)
      .flatMap((type) =>
        Object.values(type.getFields()).flatMap((field) =>
          field.args.map((arg) => [`${type.name}.${field.name}(${arg.name}:)`, arg.type] as const),
        ),
      ),
  ]
    .filter(([, type]) => isList(type))
    .map(([name, type]) => `${name} of ${getNamedType(type).name}`);
  // test/tickets/list-caps.test.ts has a case for each, desk-events.test.ts that of the filter.
  expect(lists.sort()).toEqual([
    'AddTicketMessageInput.attachments of AttachmentInput',
    'DeskEventFilter.types of TicketEventType',
    'EmailReplyInput.bcc of String',
    'EmailReplyInput.cancelIf of CancelReason',
    'EmailReplyInput.cc of String',
    'Query.nodes(ids:) of ID',
  ]);
});
