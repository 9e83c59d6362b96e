import { type DocumentNode, GraphQLError, type OperationDefinitionNode, parse, validate } from 'graphql';
import { assertModest, maxTokens } from './limits.ts';
import { schema } from './schema.ts';

/** Documents kept at most, and characters of one: clients send a few hundred different ones, over and over. */
const keptDocuments = 1000;
const keptCharacters = 16_384;
const kept = new Map<string, DocumentNode>();

/**
 * A document that parses, is modest and fits the schema; undefined otherwise. What is kept was checked once, whoever sent it:
 * introspection alone depends on who asks.
 */
export function validDocument(text: string): DocumentNode | undefined {
  let document = kept.get(text);
  if (document !== undefined) {
    // The most recently used is the last to go.
    kept.delete(text);
    kept.set(text, document);
    return document;
  }
  try {
    document = parse(text, { maxTokens });
    assertModest(document);
  } catch (error) {
    if (error instanceof GraphQLError) return undefined;
    throw error;
  }
  if (validate(schema, document, undefined, { maxErrors: 1 }).length > 0) return undefined;
  if (text.length <= keptCharacters) {
    kept.set(text, document);
    if (kept.size > keptDocuments) kept.delete(kept.keys().next().value!);
  }
  return document;
}

/** The operation that a request means, or undefined when that is not clear. */
export function operationOf(
  document: DocumentNode,
  name: string | null | undefined,
): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((definition) => definition.kind === 'OperationDefinition');
  if (name == null) return operations.length === 1 ? operations[0] : undefined;
  return operations.find((operation) => operation.name?.value === name);
}

export const asksForTheSchema = (text: string): boolean =>
  text.includes('__schema') || text.includes('__type(') || text.includes('__type ');
