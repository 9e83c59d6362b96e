import type { ElementNode } from '../dom/tree.ts';

/** Charges steps to the budget of a document. @throws UnreadableBody when the budget is spent */
export type Spend = (steps: number) => void;

/** Tests an element against one simple selector. It may charge further steps. */
export type ElementTest = (element: ElementNode, spend: Spend) => boolean;

/** Descendant, child, next sibling, subsequent sibling. */
export type Combinator = ' ' | '>' | '+' | '~';

/** The simple selectors for one element. */
export interface Compound {
  readonly tests: readonly ElementTest[];
  /** Relation to the element of the compound to its left, the next in the list. The last one's is unused. */
  readonly combinator: Combinator;
}

/** A compiled selector. */
export interface Selector {
  /** `#id`, `.class`, a name, or `*` for any element: what the element must have, for the index of rules. */
  readonly key: string;
  /** From right to left: the first one is for the element itself. */
  readonly compounds: readonly Compound[];
  /** 10000 for each id, 100 for each class, attribute and pseudo-class, 1 for each name. */
  readonly specificity: number;
}

/** `NEVER`: no further ancestor or sibling can match either. */
type MatchResult = 'YES' | 'NO' | 'NEVER';

/**
 * Whether the selector matches the element. Charges one step each time that a compound is tested on an
 * element.
 * @throws what `spend` throws
 */
export const matches = (element: ElementNode, { compounds }: Selector, spend: Spend): boolean =>
  matchFrom(element, compounds, 0, spend) === 'YES';

const parentOf = ({ parent }: ElementNode): ElementNode | undefined =>
  parent?.kind === 'element' ? parent : undefined;

function before({ previous }: ElementNode): ElementNode | undefined {
  let node = previous;
  while (node !== undefined && node.kind !== 'element') node = node.previous;
  return node;
}

function matchFrom(
  element: ElementNode,
  compounds: readonly Compound[],
  at: number,
  spend: Spend,
): MatchResult {
  spend(1);
  const { tests, combinator } = compounds[at]!;
  if (!tests.every((test) => test(element, spend))) return 'NO';
  if (at === compounds.length - 1) return 'YES';
  const step = combinator === ' ' || combinator === '>' ? parentOf : before;
  let next = step(element);
  if (combinator === '>' || combinator === '+')
    return next === undefined ? 'NO' : matchFrom(next, compounds, at + 1, spend);
  for (; next !== undefined; next = step(next)) {
    const result = matchFrom(next, compounds, at + 1, spend);
    if (result !== 'NO') return result;
  }
  // Further candidates have a subset of the same ancestors.
  return combinator === ' ' ? 'NEVER' : 'NO';
}
