import type { ElementNode } from '../dom/tree.ts';

/** Is told of work that no character pays for. */
export type Spend = (steps: number) => void;

/** Whether an element is what a piece of a selector asks for. */
export type Test = (element: ElementNode, spend: Spend) => boolean;

/**
 * How an element stands to the one that is named after it: an ancestor, the parent, the one before it, any
 * before it.
 */
export type Combinator = ' ' | '>' | '+' | '~';

/** What is asked of one element. */
export interface Compound {
  readonly tests: readonly Test[];
  /** How the next compound's element stands to this one's. */
  readonly combinator: Combinator;
}

export interface Selector {
  /** `#id`, `.class`, a name or `*`: what the element itself must at least have. */
  readonly key: string;
  /** From the element itself outwards. */
  readonly compounds: readonly Compound[];
  readonly specificity: number;
}

/** `NEVER`: nor would anything further out or further ahead. */
type Result = 'YES' | 'NO' | 'NEVER';

/** Whether the selector means the element; each element that is looked at is paid for. */
export const matches = (element: ElementNode, { compounds }: Selector, spend: Spend): boolean =>
  matchFrom(element, compounds, 0, spend) === 'YES';

const parentOf = ({ parent }: ElementNode): ElementNode | undefined =>
  parent?.kind === 'element' ? parent : undefined;

function before({ previous }: ElementNode): ElementNode | undefined {
  let node = previous;
  while (node !== undefined && node.kind !== 'element') node = node.previous;
  return node;
}

function matchFrom(element: ElementNode, compounds: readonly Compound[], at: number, spend: Spend): Result {
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
  // Whoever is tried next, an ancestor or a sibling, has no other ancestors than these.
  return combinator === ' ' ? 'NEVER' : 'NO';
}
