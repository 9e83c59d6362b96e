import { type ElementNode, isHtml, isSvg, type TextNode } from '../dom/tree.ts';

/*
 * MathML says by its layout what a line of text says by signs: 1/2, x^(n+1), √(a+b), ∑_(i=1)^n.
 */

/** Signs before the second and the third child. */
const signs: ReadonlyMap<string, readonly [second: string, third?: string]> = new Map(
  Object.entries({
    mfrac: ['/'],
    msup: ['^'],
    msub: ['_'],
    msubsup: ['_', '^'],
    mover: ['^'],
    munder: ['_'],
    munderover: ['_', '^'],
    mroot: ['^(1/'],
  }),
);
const separators: ReadonlyMap<string, string> = new Map(Object.entries({ mtable: '; ', mtr: ' ' }));
const tokens = new Set(['mi', 'mn', 'mo', 'mtext', 'ms']);
const wrappers = new Set(['math', 'mrow', 'mstyle', 'mpadded', 'semantics']);
const opening = /^[([{|⟨]$/;

/** What is written before and after the content of an element. */
export interface MathSigns {
  readonly before: string;
  readonly after: string;
}

/**
 * The signs that text needs around a MathML element.
 * @param last the last character of the text before it; empty at the start of a line and after a space
 */
export function mathSigns(element: ElementNode, last: string): MathSigns {
  if (element.name === 'msqrt') return inBrackets('√', !isOne(elementsOf(element, 2)));
  const { parent } = element;
  const within = parent?.kind === 'element' ? parent.name : '';
  const place = placeOf(element);
  if (place > 0 && separators.has(within)) return { before: separators.get(within)!, after: '' };
  const of = signs.get(within);
  if (of !== undefined) {
    const sign = place === 0 ? '' : (of[place - 1] ?? '');
    if (within === 'mroot' && place === 1) return { before: sign, after: ')' };
    // An accent, as in x̄.
    if (/^m(?:under|over)/.test(within) && element.name === 'mo') return { before: '', after: '' };
    return inBrackets(sign, !isOne([element]));
  }
  if (element.name !== 'mfrac') return { before: '', after: '' };
  const next = nextElement(element);
  return {
    before: /[\p{L}\p{N})\]]/u.test(last) ? ' ' : '',
    after: next === undefined || next.name === 'mo' ? '' : ' ',
  };
}

/** Whether a text only indents the source of MathML: white space that stands outside of its words. */
export const isMathIndent = ({ text, parent }: TextNode): boolean =>
  parent?.kind === 'element' &&
  !isHtml(parent) &&
  !isSvg(parent) &&
  !tokens.has(parent.name) &&
  !/[^ \t\n\r\f]/.test(text);

const inBrackets = (sign: string, needed: boolean): MathSigns =>
  needed ? { before: `${sign}(`, after: ')' } : { before: sign, after: '' };

/** Whether elements are read as one thing without brackets. Not recursive, as they may be nested deep. */
function isOne(elements: readonly ElementNode[]): boolean {
  let [first, second] = elements;
  while (first !== undefined && second === undefined && wrappers.has(first.name))
    [first, second] = elementsOf(first, first.name === 'semantics' ? 1 : 2);
  if (first === undefined) return true;
  if (second === undefined) return tokens.has(first.name) || first.name === 'msqrt';
  return first.name === 'mo' && first.first?.kind === 'text' && opening.test(first.first.text.trim());
}

/** The first children that are elements. */
function elementsOf(element: ElementNode, most: number): ElementNode[] {
  const found: ElementNode[] = [];
  for (let child = element.first; child !== undefined && found.length < most; child = child.next)
    if (child.kind === 'element') found.push(child);
  return found;
}

function nextElement(element: ElementNode): ElementNode | undefined {
  let next = element.next;
  while (next !== undefined && next.kind !== 'element') next = next.next;
  return next;
}

/** Number of elements before it in its parent, 3 at most. */
function placeOf(element: ElementNode): number {
  let place = 0;
  for (let before = element.previous; before !== undefined && place < 3; before = before.previous)
    if (before.kind === 'element') place += 1;
  return place;
}
