import {
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionSetNode,
} from 'graphql';

/**
 * Finds the node of a subscription's single root field, also if it is inside a fragment.
 * @param document the validated document, which contains the operation and its fragments
 * @param operation the subscription. Of a query or mutation, which may have several, it finds the first
 */
export function findRootField(
  document: DocumentNode,
  { selectionSet }: { readonly selectionSet: SelectionSetNode },
): FieldNode {
  const [first] = selectionSet.selections;
  if (first!.kind === Kind.FIELD) return first!;
  if (first!.kind === Kind.INLINE_FRAGMENT) return findRootField(document, first!);
  const { value } = first!.name;
  const isNamed = (node: DefinitionNode) =>
    node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === value;
  return findRootField(document, document.definitions.find(isNamed) as FragmentDefinitionNode);
}
