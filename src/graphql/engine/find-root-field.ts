import {
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  Kind,
  OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

interface Selecting {
  readonly selectionSet: SelectionSetNode;
}

/**
 * Finds the node of a subscription's single root field, also if it is inside a fragment.
 * @param document the validated document, which contains the operation and its fragments
 * @param operation the subscription. Of a query or mutation, which may have several, it finds the first
 */
export function findRootField(document: DocumentNode, operation: Selecting): FieldNode {
  const first = rootSelections(document, operation).find(({ kind }) => kind === Kind.FIELD);
  return first as FieldNode;
}

const conditions = new Set([GraphQLSkipDirective.name, GraphQLIncludeDirective.name]);

/**
 * Finds a selection with `@skip` or `@include` at the root of one of a document's subscriptions: because of
 * it, nothing may be left to subscribe to. Undefined if there is none. The document need not be valid.
 */
export function findConditionalRoot(document: DocumentNode): SelectionNode | undefined {
  return document.definitions
    .filter((node) => node.kind === Kind.OPERATION_DEFINITION)
    .filter(({ operation }) => operation === OperationTypeNode.SUBSCRIPTION)
    .flatMap((operation) => [...rootSelections(document, operation)])
    .find(({ directives = [] }) => directives.some(({ name }) => conditions.has(name.value)));
}

/**
 * The selections at the root of an operation, in their order, with those of their fragments. Each fragment is
 * followed once: a few of them that name each other twice would mean millions of selections.
 */
function* rootSelections(
  document: DocumentNode,
  { selectionSet }: Selecting,
  followed = new Set<string>(),
): Generator<SelectionNode> {
  for (const selection of selectionSet.selections) {
    yield selection;
    if (selection.kind === Kind.INLINE_FRAGMENT) yield* rootSelections(document, selection, followed);
    if (selection.kind !== Kind.FRAGMENT_SPREAD || followed.has(selection.name.value)) continue;
    followed.add(selection.name.value);
    const isNamed = (node: DefinitionNode): node is FragmentDefinitionNode =>
      node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === selection.name.value;
    // An invalid document may have several.
    for (const fragment of document.definitions.filter(isNamed))
      yield* rootSelections(document, fragment, followed);
  }
}
