import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type ParseOptions,
  parse,
  specifiedRules,
  type ValidationRule,
  validate,
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { type ComplexityLimit, limitComplexity } from './complexity.ts';
import { assertModest, maxTokens, tooLarge } from './limits.ts';
import { planOf } from './plan.ts';
import type { Plan } from './run.ts';

/** What was found out about a document, once. */
export interface KnownDocument {
  readonly document: DocumentNode;
  /** Whether it asks what the schema is made of. */
  readonly introspects: boolean;
  /** How it is executed; undefined: by graphql-js. */
  readonly plan: Plan | undefined;
  /** The limit of its operation; of several, that is found when one is chosen. */
  readonly limit: ComplexityLimit | undefined;
}

/** Errors that one answer lists: past these, a person reads no further. */
const maxErrors = 2;
/**
 * Approximate bytes of all cached documents, and characters of one document. Clients send a few hundred
 * different documents over and over, and the many that a stranger can send must not fill the memory.
 */
const keptBytes = 64 * 1024 * 1024;
const keptCharacters = 16_384;
/**
 * Bytes that a document takes for a character of its text, as its syntax tree, and for a field of its plan:
 * measured on the worst.
 */
const bytesOfCharacter = 120;
const bytesOfField = 600;

/**
 * Documents are parsed, validated and planned once, whoever sent them: introspection alone depends on who
 * asks.
 */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #kept = new LRUCache<string, KnownDocument>({ maxSize: keptBytes });
  /** Of documents that were parsed here and are valid. */
  readonly #valid = new WeakMap<DocumentNode, KnownDocument>();
  readonly #texts = new WeakMap<DocumentNode, string>();
  /** Suggestions of names tell a stranger the schema. */
  readonly #hideSuggestions: boolean;

  constructor(schema: GraphQLSchema, { hideSuggestions }: { readonly hideSuggestions: boolean }) {
    this.#schema = schema;
    this.#hideSuggestions = hideSuggestions;
  }

  /** The document of a text that was found valid before. */
  recall(text: string): DocumentNode | undefined {
    return this.#kept.get(text)?.document;
  }

  known(document: DocumentNode): KnownDocument | undefined {
    return this.#valid.get(document);
  }

  /** @throws GraphQLError of the syntax, or for a document that costs more to look at than it is worth */
  parse(text: string, options?: ParseOptions): DocumentNode {
    const document = parseShallow(text, { ...options, maxTokens });
    assertModest(document);
    this.#texts.set(document, text);
    return document;
  }

  /** @param more rules beside the specified ones */
  validate(
    schema: GraphQLSchema,
    document: DocumentNode,
    more: readonly ValidationRule[] = [],
  ): readonly GraphQLError[] {
    const asSpecified = schema === this.#schema && more.length === 0;
    if (asSpecified && this.#valid.has(document)) return [];
    const options = { maxErrors, hideSuggestions: this.#hideSuggestions };
    let errors: readonly GraphQLError[];
    try {
      errors = validate(schema, document, [...specifiedRules, ...more], options);
    } catch (error) {
      // A rule evaluates what depends on variables, of which it has none: the document is not valid then
      // either.
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
    if (errors.length === 0 && asSpecified) this.#keep(document);
    return errors;
  }

  /** The limit of an operation of a document that was not kept, or of one among several. */
  limitOf(document: DocumentNode, operation: OperationDefinitionNode): ComplexityLimit {
    return limitComplexity(this.#schema, document, operation);
  }

  #keep(document: DocumentNode): void {
    const text = this.#texts.get(document);
    if (text === undefined) return;
    // What is not kept is not worth a plan.
    const isKept = text.length <= keptCharacters;
    const found = {
      document,
      introspects: introspects(document),
      plan: isKept ? orNothing(() => planOf(this.#schema, document)) : undefined,
      limit: orNothing(() => {
        const only = getOperationAST(document);
        return only ? limitComplexity(this.#schema, document, only) : undefined;
      }),
    };
    this.#valid.set(document, found);
    if (isKept)
      this.#kept.set(text, found, {
        size: bytesOfCharacter * text.length + bytesOfField * (found.plan?.size ?? 0),
      });
  }
}

/** The parser calls itself for each level, and some thousands of them are more than the stack holds. */
function parseShallow(text: string, options: ParseOptions): DocumentNode {
  try {
    return parse(text, options);
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge('too many levels');
    throw error;
  }
}

/**
 * Whatever throws while a document is looked at: graphql-js executes it then, and says what is wrong with
 * it if anything is.
 */
function orNothing<T>(look: () => T | undefined): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

export function introspects(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    [Kind.FIELD]({ name }) {
      if (name.value === '__schema' || name.value === '__type') found = true;
    },
  });
  return found;
}
