import { attributeOf, type ElementNode } from '../dom/tree.ts';
import type { Declared } from './cascade.ts';
import { pixelsOf } from './css-syntax.ts';

/*
 * Detects elements that are hidden with all of their content. Text that is hidden by size or colour is
 * detected by its style (computed-style.ts).
 */

/** An offset of this many pixels counts as off the screen. */
const farAway = 400;

const none = /^(?:[+-]?0*(?:\.0*)?)(?:[a-z]{2,4}|%)?$/;
/** Zero, or too small to be visible. */
const isNothing = (value = ''): boolean => {
  if (value === '') return false;
  if (none.test(value)) return /\d/.test(value);
  const size = pixelsOf(value);
  return size !== undefined && size <= 1;
};

/** A percentage of a height that is not given is no limit. */
const isNoHeight = (value = ''): boolean => !value.endsWith('%') && isNothing(value);

const isFarBack = (value: string | undefined): boolean => {
  if (value === undefined) return false;
  if (/^-\d+(?:\.\d+)?(?:%|vw|vh)$/.test(value)) return Number.parseFloat(value) <= -100;
  return (pixelsOf(value) ?? 0) <= -farAway;
};
const isFarOff = (value: string | undefined): boolean =>
  isFarBack(value) || (value !== undefined && (pixelsOf(value) ?? 0) >= 4000);

/**
 * Elements that are boxes, unless their style says otherwise. Others have no size of their own, and tables
 * and their parts have at least that of their content.
 */
const boxes = new Set(
  (
    'address article aside blockquote body button caption center dd details dialog dir div dl dt ' +
    'fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html iframe img input ' +
    'legend li listing main marquee menu meter nav object ol p plaintext pre progress search section ' +
    'select summary textarea ul video xmp'
  ).split(' '),
);
const sizeless = new RegExp(
  `^(?:${[
    ...['inline(?: (?:flow|ruby|list-item))?', 'ruby', 'contents', '(?:inline-|block |inline )?table'],
    'table-(?:row|cell|(?:row|header|footer)-group)',
  ].join('|')})$`,
);

/** Whether an element has a height and a width that can be less than those of its content. */
function hasSize(element: ElementNode, declared: Declared, inBoxes: boolean): boolean {
  if (inBoxes || /absolute|fixed/.test(declared.get('position') ?? '')) return true;
  if (/left|right/.test(declared.get('float') ?? '')) return true;
  const display = declared.get('display');
  if (display !== undefined && display !== 'inherit') return !sizeless.test(display);
  return boxes.has(element.name);
}

/** A box without width or height that clips its overflow. */
function isCutOff(element: ElementNode, declared: Declared, inBoxes: boolean): boolean {
  const flow = (axis: string) => declared.get(`overflow-${axis}`) ?? 'visible';
  // What is hidden or scrolled on one axis is not visible on the other one either.
  const both = /hidden|scroll|auto|overlay/.test(flow('x') + flow('y'));
  const cuts = (axis: string, size: string, isZero: (value?: string) => boolean) =>
    (both || flow(axis) === 'clip') &&
    (isZero(declared.get(`max-${size}`)) || isZero(declared.get(size))) &&
    (pixelsOf(declared.get(`min-${size}`) ?? '') ?? 0) <= 1;
  return (
    (cuts('y', 'height', isNoHeight) || cuts('x', 'width', isNothing)) && hasSize(element, declared, inBoxes)
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
  const transform = ['transform', '-webkit-transform', 'scale', 'translate']
    .map((property) => declared.get(property) ?? '')
    .join(' ');
  return (
    /scale(?:3d|x|y)?\((?:[^,()]{1,20},)?\s*(?:0+(?:\.0*)?|\.0+)%?\s*[,)]/.test(transform) ||
    [...transform.matchAll(/translate(?:3d|x|y)?\(([^)]{1,100})\)/g)].some(([, by]) =>
      by!.split(',').some((one) => isFarOff(one.trim())),
    )
  );
}

const isFaint = (value = ''): boolean => Number.parseFloat(value) / (value.endsWith('%') ? 100 : 1) <= 0.05;

/** A browser does not zoom to nothing, but to 10 % or less, where letters are too small to read. */
const isTiny = (value = ''): boolean => {
  const factor = /^(?:\d+(?:\.\d+)?|\.\d+)%?$/.test(value)
    ? Number.parseFloat(value) / (value.endsWith('%') ? 100 : 1)
    : 1;
  return factor > 0 && factor <= 0.1;
};

/** A row of a table that is collapsed is gone; another element that is so is only not visible. */
const tableRow = /^(?:tr|tbody|thead|tfoot|table-(?:row|(?:row|header|footer)-group))$/;

/** Columns only describe cells: what they contain is not displayed. */
const notDisplayed = /^(?:none|table-column(?:-group)?)$/;

/** A `popover` opens by a script or a button, which mails do not have. */
const isHiddenByAttribute = (element: ElementNode): boolean =>
  attributeOf(element, 'hidden') !== undefined ||
  attributeOf(element, 'popover') !== undefined ||
  (element.name === 'dialog' && attributeOf(element, 'open') === undefined);

/**
 * Whether an element is invisible with all of its content: not displayed (also by the attributes `hidden` and
 * `popover`, or as a closed `dialog`), of an opacity of 5 % or less, cut off by a box without size, zoomed to
 * 10 % or less, or moved off the screen. Only the element's own declarations count, not those of its
 * ancestors. `visibility: hidden`, tiny fonts and colours are not considered here, because content can
 * override them: see computed-style.ts. Nor is what hides in Outlook alone: see `isHiddenInOutlook`.
 * @param declared the element's declared values
 * @param inBoxes whether its parent is a flex box or a grid, which makes a box of each child
 */
export function isHidden(element: ElementNode, declared: Declared, inBoxes: boolean): boolean {
  const display = declared.get('display');
  if (notDisplayed.test(display ?? '')) return true;
  // `display` overrides the attribute.
  if (isHiddenByAttribute(element) && (display === undefined || display === 'inherit')) return true;
  if (declared.size === 0) return false;
  return (
    isFaint(declared.get('opacity')) ||
    /opacity\(\s*0*(?:\.0+)?%?\s*\)/.test(declared.get('filter') ?? '') ||
    declared.get('content-visibility') === 'hidden' ||
    (declared.get('visibility') === 'collapse' && tableRow.test(display ?? element.name)) ||
    isTiny(declared.get('zoom')) ||
    /^(?:inset\(\s*(?:[5-9]\d|100)%|circle\(\s*0|polygon\(\s*0)/.test(declared.get('clip-path') ?? '') ||
    isCutOff(element, declared, inBoxes) ||
    isMovedAway(declared) ||
    isTransformedAway(declared)
  );
}

/**
 * Whether an element is said to be hidden in Outlook, with all of its content. Mailers write so for a button
 * too, of which Outlook is shown a copy in VML.
 */
export const isHiddenInOutlook = (declared: Declared): boolean => declared.get('mso-hide') === 'all';
