import { type ElementNode, rareOf, type SiblingPlace } from '../dom/tree.ts';
import type { Spend } from './match-selector.ts';

/**
 * The position of an element among the elements of its parent, counted from 1. Computed for all siblings
 * together on first use, and kept in the tree. The element must have a parent.
 * @param spend is charged one step for each sibling when the positions are computed, and nothing afterwards
 * @throws what `spend` throws
 */
export function siblingPlaceOf(element: ElementNode, spend: Spend): SiblingPlace {
  if (element.rare?.place === undefined) placeSiblings(element, spend);
  return element.rare!.place!;
}

function placeSiblings({ parent }: ElementNode, spend: Spend): void {
  const siblings: ElementNode[] = [];
  for (let node = parent?.first; node !== undefined; node = node.next)
    if (node.kind === 'element') siblings.push(node);
  spend(siblings.length);
  const total = Map.groupBy(siblings, ({ name }) => name);
  const counted = new Map<string, number>();
  for (const [before, sibling] of siblings.entries()) {
    const ofType = (counted.get(sibling.name) ?? 0) + 1;
    counted.set(sibling.name, ofType);
    rareOf(sibling).place = {
      index: before + 1,
      fromEnd: siblings.length - before,
      ofType,
      ofTypeFromEnd: total.get(sibling.name)!.length - ofType + 1,
    };
  }
}
