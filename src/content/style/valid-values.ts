import { parseColour } from './colours.ts';
import { wordsOf } from './css-syntax.ts';

/*
 * Which values a browser takes, of the properties that decide whether a text is seen. It drops a declaration
 * with another value, so that an earlier one counts: `opacity:0;opacity:alpha(opacity=90)` hides.
 */

type Check = (value: string) => boolean;

const anywhere = /^(?:inherit|initial|unset|revert|revert-layer)$/;
/** What stands for another value, also for a part of one, is not known when a style is parsed. */
const replaced = /(?<![\w-])(?:var|env|attr|if)\(/;
/** Functions whose result is not computed here. */
const calculation =
  /^(?:(?:-webkit-)?calc|min|max|clamp|round|mod|rem|abs|sign|sin|cos|tan|sqrt|pow|hypot|exp|log)\(/;

/** A number, and perhaps its unit. */
const number = /^[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?(%|[a-z]+|)$/;
const units = new RegExp(
  `^(?:${[
    ...['%', 'px', 'pt', 'pc', 'in', 'cm', 'mm', 'q', 'r?(?:em|ex|ch|cap|ic|lh)'],
    ...['[sld]?v(?:w|h|i|b|min|max)', 'cq(?:w|h|i|b|min|max)'],
  ].join('|')})$`,
);
/** A number without a unit is none, but for zero. No size is below zero. */
function isSize(value: string): boolean {
  const found = number.exec(value);
  if (found === null) return calculation.test(value);
  const size = Number.parseFloat(value);
  return size >= 0 && (found[1] === '' ? size === 0 : units.test(found[1]!));
}

const oneOf = (...words: readonly string[]): Check => {
  const pattern = new RegExp(`^(?:${words.join('|')})$`);
  return (value) => pattern.test(value);
};
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));

const systemColour = oneOf(
  ...['currentcolor', 'linktext', 'visitedtext', 'activetext', 'button(?:face|text|border)'],
  ...['field(?:text)?', 'highlight(?:text)?', 'selecteditem(?:text)?', 'mark(?:text)?', 'graytext'],
  ...['accentcolor(?:text)?', 'background', 'scrollbar', 'info(?:background|text)', 'menu(?:text)?'],
  ...['(?:in)?active(?:border|caption)', '(?:inactive)?captiontext', 'appworkspace', 'windowframe'],
  ...['button(?:highlight|shadow)', 'threed(?:(?:dark|light)?shadow|face|highlight)'],
  '-webkit-(?:active)?link',
);
const colourFunction = /^(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix|light-dark|contrast-color)\(/;
/** With numbers alone these are all read here. */
const numbersOnly = /^(?:rgb|hsl)a?\([\d\s.,%/+-]*\)$/;
const isColour = either(
  (value) => parseColour(value) !== undefined,
  systemColour,
  (value) => colourFunction.test(value) && !numbersOnly.test(value),
);

const extents = [
  '(?:-webkit-)?(?:min-content|max-content|fit-content)',
  ...['-webkit-fill-available', 'stretch', 'calc-size\\(.*', 'anchor-size\\(.*'],
];
const isExtent = either(isSize, oneOf('auto', ...extents));
const isLimit = either(isSize, oneOf('none', ...extents));

const isCommonDisplay = oneOf(
  ...[
    'none',
    'block',
    'inline',
    'table',
    'flex',
    'grid',
    'contents',
    'inline-(?:block|table|flex|grid)',
    '-webkit-(?:inline-)?(?:box|flex)',
  ],
  ...['ruby-text', 'table-(?:row|cell|column|caption|(?:row|column|header|footer)-group)'],
);
const isOutside = oneOf('block', 'inline');
const isItem = oneOf('list-item');
const isFlow = oneOf('flow', 'flow-root');
const isInside = oneOf('flow', 'flow-root', 'table', 'flex', 'grid', 'ruby', 'math');
/** In any order: what a box is outside, what it is inside, and `list-item`, which flows inside. */
function isDisplay(value: string): boolean {
  if (isCommonDisplay(value)) return true;
  const words = wordsOf(value);
  const count = (check: Check) => words.filter(check).length;
  const [outside, item] = [count(isOutside), count(isItem)];
  const inside = count(item === 0 ? isInside : isFlow);
  return outside <= 1 && inside <= 1 && item <= 1 && outside + inside + item === words.length;
}

const isFontSize = either(
  isSize,
  oneOf('(?:xx?-)?small', 'medium', '(?:x{1,3}-)?large', '-webkit-xxx-large', 'smaller', 'larger', 'math'),
);
const isOpacity = (value: string): boolean =>
  /^%?$/.test(number.exec(value)?.[1] ?? 'none') || calculation.test(value);
const isOverflow = oneOf('visible', 'hidden', 'clip', 'scroll', 'auto', 'overlay');

const checks: ReadonlyMap<string, Check> = new Map([
  ['visibility', oneOf('visible', 'hidden', 'collapse')],
  ['opacity', isOpacity],
  ['display', isDisplay],
  ['position', oneOf('static', 'relative', 'absolute', 'fixed', '(?:-webkit-)?sticky')],
  ['font-size', isFontSize],
  ...['color', '-webkit-text-fill-color', 'background-color'].map((name) => [name, isColour] as const),
  ...['width', 'height', 'min-width', 'min-height'].map((name) => [name, isExtent] as const),
  ...['max-width', 'max-height'].map((name) => [name, isLimit] as const),
  ...['overflow-x', 'overflow-y'].map((name) => [name, isOverflow] as const),
  ['overflow', (value) => wordsOf(value).length <= 2 && wordsOf(value).every(isOverflow)],
]);

/**
 * Whether a browser takes a value of a property. Not every other value is known: true for all values of other
 * properties, and for those with functions that are not computed here, such as `var()` and `calc()`.
 * @param property by its usual name
 * @param value in lower case, without white space around it
 */
export function isValid(property: string, value: string): boolean {
  const check = checks.get(property);
  return check === undefined || check(value) || anywhere.test(value) || replaced.test(value);
}
