import { attributeOf, type ElementNode } from '../dom/tree.ts';
import type { Declared } from './cascade.ts';
import { pixelsOf } from './css-syntax.ts';

/*
 * Detects elements that are hidden with all of their content. Text that is hidden by size or colour is
 * detected by its style (text-style.ts).
 */

/** An offset of this many pixels counts as off the screen. */
const farAway = 400;

const none = /^(?:[+-]?0*(?:\.0*)?)(?:[a-z]{2,4}|%)?$/;
/** Zero, or too small to be visible. */
const isNothing = (value: string | undefined): boolean => {
  if (value === undefined || value === '') return false;
  if (none.test(value)) return /\d/.test(value);
  const size = pixelsOf(value);
  return size !== undefined && Math.abs(size) <= 1;
};

const isFarBack = (value: string | undefined): boolean => {
  if (value === undefined) return false;
  if (/^-\d+(?:\.\d+)?(?:%|vw|vh)$/.test(value)) return Number.parseFloat(value) <= -100;
  return (pixelsOf(value) ?? 0) <= -farAway;
};
const isFarOff = (value: string | undefined): boolean =>
  isFarBack(value) || (value !== undefined && (pixelsOf(value) ?? 0) >= 4000);

/** A box without width or height that clips its overflow. */
function isCutOff(declared: Declared): boolean {
  const cuts = (axis: string) =>
    /hidden|clip|scroll|auto/.test(declared.get(`overflow-${axis}`) ?? declared.get('overflow') ?? '');
  return (
    (cuts('y') && (isNothing(declared.get('max-height')) || isNothing(declared.get('height')))) ||
    (cuts('x') && (isNothing(declared.get('max-width')) || isNothing(declared.get('width'))))
  );
}

function isMovedAway(declared: Declared): boolean {
  const position = declared.get('position');
  if (position === 'absolute' || position === 'fixed') {
    const clip = declared.get('clip') ?? '';
    if (/^rect\(\s*(?:[01](?:px)?[\s,]*){4}\)$/.test(clip)) return true;
  }
  if (position === 'absolute' || position === 'fixed' || position === 'relative')
    if (['left', 'top', 'right', 'bottom'].some((side) => isFarOff(declared.get(side)))) return true;
  return (
    isFarBack(declared.get('text-indent')) ||
    isFarBack(declared.get('margin-left')) ||
    isFarBack(declared.get('margin-top')) ||
    isFarBack(declared.get('margin')?.split(/\s+/).at(-1)) ||
    isFarBack(declared.get('margin')?.split(/\s+/)[0]) ||
    isFarBack(declared.get('letter-spacing'))
  );
}

function isTransformedAway(declared: Declared): boolean {
  const transform = `${declared.get('transform') ?? ''} ${declared.get('-webkit-transform') ?? ''}`;
  return (
    /scale(?:3d|x|y)?\(\s*0*(?:\.0+)?\s*[,)]/.test(transform) ||
    [...transform.matchAll(/translate(?:3d|x|y)?\(([^)]{1,100})\)/g)].some(([, by]) =>
      by!.split(',').some((one) => isFarOff(one.trim())),
    )
  );
}

const isFaint = (value = ''): boolean =>
  /^[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?%?$/.test(value) &&
  Number.parseFloat(value) / (value.endsWith('%') ? 100 : 1) <= 0.05;

/**
 * Whether an element is invisible with all of its content: not displayed (also by the attribute `hidden`, or
 * as a closed `dialog`), of an opacity of 5 % or less, cut off by a box without size, or moved off the
 * screen. Only the element's own declarations count, not those of its ancestors. `visibility: hidden`, tiny
 * fonts and colours are not considered here, because content can override them: see text-style.ts.
 * @param declared the element's declared values
 */
export function isHidden(element: ElementNode, declared: Declared): boolean {
  const display = declared.get('display');
  if (display === 'none') return true;
  // `display` overrides the attribute.
  if (attributeOf(element, 'hidden') !== undefined && (display === undefined || display === 'inherit'))
    return true;
  if (element.name === 'dialog' && attributeOf(element, 'open') === undefined) return true;
  if (declared.size === 0) return false;
  return (
    isFaint(declared.get('opacity')) ||
    /opacity\(\s*0*(?:\.0+)?%?\s*\)/.test(declared.get('filter') ?? '') ||
    declared.get('content-visibility') === 'hidden' ||
    declared.get('visibility') === 'collapse' ||
    isNothing(declared.get('zoom')) ||
    /^(?:inset\(\s*(?:[5-9]\d|100)%|circle\(\s*0|polygon\(\s*0)/.test(declared.get('clip-path') ?? '') ||
    isCutOff(declared) ||
    isMovedAway(declared) ||
    isTransformedAway(declared)
  );
}

/**
 * Whether an element is said to be hidden in Outlook, with all of its content. Mailers write so for a button
 * too, of which Outlook is shown a copy in VML.
 */
export const isHiddenInOutlook = (declared: Declared): boolean => declared.get('mso-hide') === 'all';
