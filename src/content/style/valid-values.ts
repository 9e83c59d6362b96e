import { parseColour } from './colours.ts';

/*
 * Which values a browser takes. It drops an invalid declaration, so that an earlier one counts. Only the
 * properties that decide whether a text is seen are checked.
 */

const everywhere = /^(?:inherit|initial|unset|revert|revert-layer)$/;
const computed = /^(?:calc|clamp|min|max|var|env|fit-content|anchor|anchor-size)\(/;
/** Also without a unit, which a browser takes in a mail without a doctype. */
const size = /^\+?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?(?:%|[a-z]{1,5})?$/;
const number = /^[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?%?$/;

const colourFunction =
  /^(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix|light-dark|contrast-color|var)\(/;
const systemColour = new RegExp(
  `^(?:${[
    ...['currentcolor', 'linktext', 'visitedtext', 'activetext', 'button(?:face|text|border)'],
    ...['field(?:text)?', 'highlight(?:text)?', 'selecteditem(?:text)?', 'mark(?:text)?', 'graytext'],
    ...['accentcolor(?:text)?', 'background', 'scrollbar', 'info(?:background|text)', 'menu(?:text)?'],
    ...['(?:in)?active(?:border|caption)', '(?:inactive)?captiontext', 'appworkspace', 'windowframe'],
    ...['button(?:highlight|shadow)', 'threed(?:(?:dark|light)?shadow|face|highlight)'],
  ].join('|')})$`,
);
const isColour = (value: string): boolean =>
  parseColour(value) !== undefined || colourFunction.test(value) || systemColour.test(value);

const oneOf = (words: string): RegExp => new RegExp(`^(?:${words})$`);
const matching =
  (...kinds: readonly RegExp[]) =>
  (value: string): boolean =>
    kinds.some((kind) => kind.test(value));

const extents = '(?:-webkit-)?(?:min-content|max-content|fit-content|fill-available)|stretch|contain';
const isExtent = matching(size, computed, oneOf(`auto|${extents}`));
const isLimit = matching(size, computed, oneOf(`none|${extents}`));
const scrolls = 'visible|hidden|clip|scroll|auto|overlay';
const isOverflow = matching(oneOf(`(?:${scrolls})(?: (?:${scrolls}))?`));

const checks: ReadonlyMap<string, (value: string) => boolean> = new Map([
  ['color', isColour],
  ['-webkit-text-fill-color', isColour],
  ['background-color', isColour],
  [
    'font-size',
    matching(size, computed, oneOf('(?:x{0,2}-)?small|medium|(?:x{0,3}-)?large|smaller|larger|math')),
  ],
  ['opacity', matching(number, computed)],
  ['visibility', matching(oneOf('visible|hidden|collapse'))],
  [
    'display',
    matching(
      oneOf(
        'none|contents|(?:inline|block|run-in)(?: (?:flow|flow-root|table|flex|grid|ruby|math))?|flow|' +
          '(?:inline-)?(?:flex|grid|table)|inline-block|flow-root|(?:inline |block )?list-item|ruby|' +
          'ruby-(?:base|text)(?:-container)?|math|table-(?:caption|cell|column|column-group|row|row-group)|' +
          'table-(?:header|footer)-group|-webkit-(?:inline-)?(?:box|flex)|var\\(.*\\)',
      ),
    ),
  ],
  ['position', matching(oneOf('static|relative|absolute|fixed|(?:-webkit-)?sticky'))],
  ...['width', 'height', 'min-width', 'min-height'].map((property) => [property, isExtent] as const),
  ...['max-width', 'max-height'].map((property) => [property, isLimit] as const),
  ...['overflow', 'overflow-x', 'overflow-y'].map((property) => [property, isOverflow] as const),
]);

/**
 * Whether a browser takes a value. Every value is taken for a property that is not checked here.
 * @param value in lower case, without white space at its ends
 */
export const isValid = (property: string, value: string): boolean =>
  everywhere.test(value) || (checks.get(property)?.(value) ?? true);
