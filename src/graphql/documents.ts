import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type DocumentNode,
  GraphQLError,
  type OperationDefinitionNode,
  parse,
  validate,
  visit,
} from 'graphql';
import { Recent } from '../recent.ts';
import { complexityLimit } from './builder.ts';
import { assertModest, maxTokens } from './limits.ts';
import { planOf } from './plan.ts';
import type { Plan } from './run-plan.ts';
import { schema } from './schema.ts';

/** A document that parses, is modest in size and fits the schema. */
export interface KnownDocument {
  readonly document: DocumentNode;
  /** It asks for less than the limits whatever its variables are; otherwise each execution computes that. */
  readonly modest: boolean;
  /** How it is executed; undefined: by graphql-js. */
  readonly plan: Plan | undefined;
}

/**
 * Bytes of memory that each of two generations of kept documents takes, about, and characters of one document: clients send a few hundred
 * different ones, over and over, and the many that a stranger can send must not fill the memory.
 */
const keptBytes = 32 * 1024 * 1024;
const keptCharacters = 16_384;
/** Bytes that a document takes for a character of its text, as its syntax tree, and for a field of its plan: measured on the worst. */
const bytesOfCharacter = 120;
const bytesOfField = 600;
const kept = new Recent<KnownDocument>(keptBytes);

/**
 * A document that can be executed; undefined otherwise. What is kept was checked once, whoever sent it: introspection alone depends
 * on who asks.
 */
export function validDocument(text: string): KnownDocument | undefined {
  let known = kept.get(text);
  if (known !== undefined) return known;
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens });
    assertModest(document);
  } catch (error) {
    if (error instanceof GraphQLError) return undefined;
    throw error;
  }
  if (validate(schema, document, undefined, { maxErrors: 1 }).length > 0) return undefined;
  // What is not kept is not worth a plan.
  const isKept = text.length <= keptCharacters;
  known = { document, modest: isModest(document), plan: isKept ? planOf(schema, document) : undefined };
  if (isKept) kept.put(text, known, bytesOfCharacter * text.length + bytesOfField * (known.plan?.size ?? 0));
  return known;
}

/** Arguments that say how many rows a field answers. */
const sizes: ReadonlySet<string> = new Set(['first', 'last', 'ids']);

/** Whether its one operation stays within the limits, and no variable has a say in that: page sizes alone have. */
function isModest(document: DocumentNode): boolean {
  let operations = 0;
  let constant = true;
  const withoutVariables = visit(document, {
    OperationDefinition(node) {
      operations += 1;
      return { ...node, variableDefinitions: [] };
    },
    Argument({ name, value }) {
      if (sizes.has(name.value) && value.kind === 'Variable') constant = false;
    },
  });
  if (operations !== 1 || !constant) return false;
  const { complexity, depth, breadth } = complexityFromQuery(withoutVariables, { schema });
  const limit = complexityLimit;
  return complexity <= limit.complexity && depth <= limit.depth && breadth <= limit.breadth;
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

export const asksForTheSchema = (text: string): boolean => /__(?:schema|type)(?!name)/.test(text);
