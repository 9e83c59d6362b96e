import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type ParseOptions,
  parse,
  type SelectionNode,
  specifiedRules,
  type ValidationRule,
  validate,
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { type ComplexityLimit, limitComplexity } from './complexity-limit.ts';
import { assertModest, maxTokens, tooLarge } from './document-limits.ts';
import type { Plan } from './execution-state.ts';
import { findConditionalRoot } from './find-root-field.ts';
import { planOf } from './plan-document.ts';

/** The cached analysis of a document. */
export interface KnownDocument {
  readonly document: DocumentNode;
  /** Whether it selects `__schema` or `__type`. */
  readonly introspects: boolean;
  /** Undefined: graphql-js executes it. */
  readonly plan: Plan | undefined;
  /**
   * The complexity limit of its only operation. Undefined for a document with several operations, and if
   * counting failed: `limitOf` then computes it for the operation that is executed.
   */
  readonly limit: ComplexityLimit | undefined;
}

/** Validation stops after this many errors. */
const maxErrors = 2;
/**
 * Approximate bytes of all cached documents, and characters of one document. Clients send a few hundred
 * different documents over and over, and the many that a stranger can send must not fill the memory.
 */
const keptBytes = 64 * 1024 * 1024;
const keptCharacters = 16_384;
/**
 * Bytes per character of a cached syntax tree, and per field of its plan. Both were measured on the worst
 * documents.
 */
const bytesOfCharacter = 120;
const bytesOfField = 600;

/**
 * Parses, validates and plans documents. It caches valid ones by their text, if that has at most 16,384
 * characters, for all viewers and within about 64 MiB; the least recently used are dropped first. Whether a
 * document may introspect depends on the viewer, and is decided elsewhere.
 */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #kept = new LRUCache<string, KnownDocument>({ maxSize: keptBytes });
  /** Of documents that were parsed here and are valid. */
  readonly #valid = new WeakMap<DocumentNode, KnownDocument>();
  readonly #texts = new WeakMap<DocumentNode, string>();
  /** Suggested names would reveal the schema to a stranger. */
  readonly #hideSuggestions: boolean;

  /** @param options `hideSuggestions`: whether validation errors leave out `Did you mean …?` */
  constructor(schema: GraphQLSchema, { hideSuggestions }: { readonly hideSuggestions: boolean }) {
    this.#schema = schema;
    this.#hideSuggestions = hideSuggestions;
  }

  /** The cached document of a text that was found valid before. Undefined if none is cached. */
  recall(text: string): DocumentNode | undefined {
    return this.#kept.get(text)?.document;
  }

  /**
   * The analysis of a document (this object) that was parsed here and found valid by `validate`, with a long
   * text as well. Undefined for any other document.
   */
  known(document: DocumentNode): KnownDocument | undefined {
    return this.#valid.get(document);
  }

  /**
   * Parses a document and checks its size (see `assertModest`). Does not use the cache.
   * @throws GraphQLError for a syntax error or more than `maxTokens` tokens, or DOCUMENT_TOO_LARGE
   */
  parse(text: string, options?: ParseOptions): DocumentNode {
    const document = parseShallow(text, { ...options, maxTokens });
    assertModest(document);
    this.#texts.set(document, text);
    return document;
  }

  /**
   * Validates a document by the rules of the specification. A valid one that was parsed here is remembered
   * for `known`, unless `more` has rules or the schema is another one; it is not validated again. If its text
   * has at most 16,384 characters, it is also planned, and cached for `recall`.
   * @param more rules besides the specified ones
   * @returns the errors; empty when the document is valid. Validation stops after two, and a third then says
   *   that there are more
   */
  validate(
    schema: GraphQLSchema,
    document: DocumentNode,
    more: readonly ValidationRule[] = [],
  ): readonly GraphQLError[] {
    const asSpecified = schema === this.#schema && more.length === 0;
    if (asSpecified && this.#valid.has(document)) return [];
    // Before the rules of graphql-js, one of which evaluates these directives without the variables.
    const conditional = findConditionalRoot(document);
    if (conditional !== undefined) return [notConditional(conditional)];
    const options = { maxErrors, hideSuggestions: this.#hideSuggestions };
    const errors = validate(schema, document, [...specifiedRules, ...more], options);
    if (errors.length === 0 && asSpecified) this.#keep(document);
    return errors;
  }

  /** Computes the complexity limit of an operation, for a valid document whose `KnownDocument` has none. */
  limitOf(document: DocumentNode, operation: OperationDefinitionNode): ComplexityLimit {
    return limitComplexity(this.#schema, document, operation);
  }

  #keep(document: DocumentNode): void {
    const text = this.#texts.get(document);
    if (text === undefined) return;
    // A plan is worth its cost only when it is cached.
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

/** graphql-js cannot execute a subscription of nothing, and the specification has it rejected like this. */
const notConditional = (selection: SelectionNode): GraphQLError =>
  new GraphQLError('The field of a subscription cannot be skipped or included', { nodes: selection });

/** The parser is recursive: a few thousand levels overflow the stack. */
function parseShallow(text: string, options: ParseOptions): DocumentNode {
  try {
    return parse(text, options);
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge('too many levels');
    throw error;
  }
}

/** Returns undefined when `find` throws. graphql-js then executes the document and reports what is wrong. */
function orNothing<T>(find: () => T | undefined): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

/** Whether a document selects `__schema` or `__type`. */
export function introspects(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    [Kind.FIELD]({ name }) {
      if (name.value === '__schema' || name.value === '__type') found = true;
    },
  });
  return found;
}
