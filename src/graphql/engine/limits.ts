import { type DocumentNode, GraphQLError, visit } from 'graphql';

/** Tokens of a document: about four times what the largest of our own needs. */
export const maxTokens = 4000;
const maxAliases = 100;
const maxFields = 500;
const maxDepth = 18;
const maxDirectives = 50;
const maxMutations = 20;

/**
 * Refuses a document that costs more to look at than it is worth, in one walk and before validation: the rules of graphql-js are
 * quadratic in some of what is counted here.
 * @throws GraphQLError with the code of what it exceeds
 */
export function assertModest(document: DocumentNode): void {
  const count = { aliases: 0, directives: 0, fields: 0 };
  let depth = 0;
  visit(document, {
    Field(node) {
      count.fields += 1;
      if (node.alias !== undefined) count.aliases += 1;
    },
    Directive() {
      count.directives += 1;
    },
    SelectionSet: {
      enter() {
        depth += 1;
        if (depth > maxDepth) refuse('levels', maxDepth);
      },
      leave() {
        depth -= 1;
      },
    },
    OperationDefinition({ operation, selectionSet }) {
      if (operation === 'mutation' && selectionSet.selections.length > maxMutations)
        refuse('mutations', maxMutations);
    },
  });
  if (count.aliases > maxAliases) refuse('aliases', maxAliases);
  if (count.directives > maxDirectives) refuse('directives', maxDirectives);
  if (count.fields > maxFields) refuse('fields', maxFields);
}

function refuse(what: string, limit: number): never {
  throw new GraphQLError(`The document has more than ${limit} ${what}`, {
    extensions: { code: 'DOCUMENT_TOO_LARGE', http: { status: 400, spec: true } },
  });
}
