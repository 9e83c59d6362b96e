import { type ASTVisitor, type DocumentNode, GraphQLError, visit } from 'graphql';

/** Maximum number of tokens in a document, inclusive. Our largest stored operation has a quarter of that. */
export const maxTokens = 4000;

/**
 * Maximum counts in a document. The rules of graphql-js are quadratic in most of these, and validation runs
 * before sign-in is required.
 */
const most = {
  aliases: 100,
  'fields of one name': 120,
  fields: 500,
  directives: 50,
  fragments: 60,
  'fragment spreads': 150,
  operations: 20,
  variables: 100,
  levels: 18,
  'levels of a value': 20,
  'levels of a type': 10,
  mutations: 20,
} as const;
type Measure = keyof typeof most;

/**
 * Checks the size of a document before validation, in one walk: how many fields (500), aliases (100), fields
 * of one name, directives, fragments, fragment spreads, operations, variables, and root fields of a mutation
 * (20) it has, and how deep selections (18), values and types are nested. Fragments are not expanded.
 * @throws GraphQLError DOCUMENT_TOO_LARGE for the first count that is exceeded, which its message names
 */
export function assertModest(document: DocumentNode): void {
  const counts = new Map<Measure, number>();
  const names = new Map<string, number>();
  const add = (what: Measure, by = 1) => {
    const count = (counts.get(what) ?? 0) + by;
    if (count > most[what]) throw tooMany(what);
    counts.set(what, count);
  };
  const nested = (what: Measure) => ({ enter: () => add(what), leave: () => add(what, -1) });
  const visitor: ASTVisitor = {
    Field({ alias, name: { value: name } }) {
      add('fields');
      if (alias !== undefined) add('aliases');
      // `__typename` fields merge trivially, so they do not count.
      if (name === '__typename') return;
      const same = (names.get(alias?.value ?? name) ?? 0) + 1;
      if (same > most['fields of one name']) throw tooMany('fields of one name');
      names.set(alias?.value ?? name, same);
    },
    Directive: () => add('directives'),
    FragmentDefinition: () => add('fragments'),
    FragmentSpread: () => add('fragment spreads'),
    VariableDefinition: () => add('variables'),
    SelectionSet: nested('levels'),
    ListValue: nested('levels of a value'),
    ObjectValue: nested('levels of a value'),
    ListType: nested('levels of a type'),
    OperationDefinition({ operation, selectionSet }) {
      add('operations');
      if (operation === 'mutation' && selectionSet.selections.length > most.mutations)
        throw tooMany('mutations');
    },
  };
  visit(document, visitor);
}

const tooMany = (what: Measure): GraphQLError => tooLarge(`more than ${most[what]} ${what}`);

/**
 * The error DOCUMENT_TOO_LARGE, with HTTP status 400.
 * @param why ends the sentence that begins with "The document has", without a full stop: `more than 20
 *   operations`
 */
export const tooLarge = (why: string): GraphQLError =>
  new GraphQLError(`The document has ${why}`, {
    extensions: { code: 'DOCUMENT_TOO_LARGE', http: { status: 400, spec: true } },
  });
