import {
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionSetNode,
} from 'graphql';

/**
 * The node of the only root field of a subscription, also if it is in a fragment.
 * @param document a valid one, which contains the operation
 */
export function rootOf(
  document: DocumentNode,
  { selectionSet }: { readonly selectionSet: SelectionSetNode },
): FieldNode {
  const [first] = selectionSet.selections;
  if (first!.kind === Kind.FIELD) return first!;
  if (first!.kind === Kind.INLINE_FRAGMENT) return rootOf(document, first!);
  const { value } = first!.name;
  const isNamed = (node: DefinitionNode) =>
    node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === value;
  return rootOf(document, document.definitions.find(isNamed) as FragmentDefinitionNode);
}
