import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { parseLegacyColour } from '../style/colours.ts';

/*
 * The allowed attributes by element, with their allowed values. Links, images and styles are handled
 * elsewhere.
 */

/** Returns the value to show, or undefined to drop the attribute. */
type AttributeFilter = (value: string) => string | undefined;

const matching =
  (pattern: RegExp): AttributeFilter =>
  (value) => {
    const trimmed = value.trim();
    return pattern.test(trimmed) ? trimmed : undefined;
  };
const wholeUpTo =
  (most: number, least = 0): AttributeFilter =>
  (value) => {
    const digits = /^\s*\+?(-?\d{1,9})(?:px|\.\d*)?\s*$/i.exec(value)?.[1];
    return digits !== undefined && Number(digits) <= most && Number(digits) >= least
      ? String(Number(digits))
      : undefined;
  };
const size: AttributeFilter = (value) =>
  /^\s*(?:100|\d{1,2})(?:\.\d*)?%\s*$/.test(value) ? value.trim() : wholeUpTo(2000)(value);
const colour: AttributeFilter = (value) =>
  parseLegacyColour(value) === undefined ? undefined : value.trim();
const text: AttributeFilter = (value) => value.replaceAll('\r', '\n');

const everywhere: readonly (readonly [string, AttributeFilter])[] = [
  ['dir', matching(/^(?:ltr|rtl|auto)$/i)],
  ['lang', matching(/^[a-z]{1,8}(?:-[a-z0-9]{1,8}){0,7}$/i)],
  ['title', text],
  ['align', matching(/^(?:left|right|center|middle|justify|top|bottom|baseline|char|absmiddle|abscenter)$/i)],
];
const vertical = ['valign', matching(/^(?:top|middle|bottom|baseline)$/i)] as const;
const background = ['bgcolor', colour] as const;
const span = wholeUpTo(200, 1);
const cell: readonly (readonly [string, AttributeFilter])[] = [
  ['colspan', span],
  ['rowspan', span],
  ['width', size],
  ['height', size],
  vertical,
  background,
];
const border = wholeUpTo(20);

const own: ReadonlyMap<string, readonly (readonly [string, AttributeFilter])[]> = new Map([
  [
    'font',
    [
      ['color', colour],
      ['face', matching(/^[\w\s,'"-]{1,200}$/)],
      ['size', matching(/^[+-]?[1-7]$/)],
    ],
  ],
  [
    'ol',
    [
      ['start', wholeUpTo(999_999_999, -999_999_999)],
      ['type', matching(/^[1aAiI]$/)],
      ['reversed', () => 'reversed'],
    ],
  ],
  ['ul', [['type', matching(/^(?:disc|circle|square)$/i)]]],
  [
    'li',
    [
      ['value', wholeUpTo(999_999_999, -999_999_999)],
      ['type', matching(/^(?:[1aAiI]|disc|circle|square)$/)],
    ],
  ],
  [
    'table',
    [
      // `border` without a value means 1.
      ['border', (value) => (value.trim() === '' ? '1' : border(value))],
      ['cellpadding', wholeUpTo(100)],
      ['cellspacing', wholeUpTo(100)],
      ['width', size],
      ['height', size],
      ['rules', matching(/^(?:none|groups|rows|cols|all)$/i)],
      ['frame', matching(/^(?:void|above|below|hsides|vsides|lhs|rhs|box|border)$/i)],
      background,
    ],
  ],
  ['td', cell],
  ['th', [...cell, ['scope', matching(/^(?:row|col|rowgroup|colgroup)$/i)]]],
  ['tr', [vertical, background]],
  ['thead', [vertical, background]],
  ['tbody', [vertical, background]],
  ['tfoot', [vertical, background]],
  [
    'col',
    [
      ['span', span],
      ['width', size],
    ],
  ],
  [
    'colgroup',
    [
      ['span', span],
      ['width', size],
    ],
  ],
  ['hr', [['width', size]]],
  ['time', [['datetime', matching(/^[\dTZPWYMDHSthpzwymds:.+ -]{1,64}$/)]]],
  [
    'img',
    [
      ['alt', text],
      ['width', size],
      ['height', size],
    ],
  ],
]);

/**
 * The allowed attributes of an element that is shown as `as`, with allowed values: a harmless selection for
 * each element (sizes, spans, colours, alignment, `dir`, `lang`, `title`, `alt` …). Never among them are
 * `style`, `class`, `id`, `href`, `src` and event handlers; other values are dropped without a report.
 * @param as name of the element in the output
 * @returns pairs of name and value, not escaped
 */
export function shownAttributes(element: ElementNode, as: string): [string, string][] {
  if (element.attributes.length === 0) return [];
  return [...(own.get(as) ?? []), ...everywhere].flatMap(([name, check]) => {
    const written = attributeOf(element, name);
    const shown = written === undefined ? undefined : check(written);
    return shown === undefined ? [] : [[name, shown] as [string, string]];
  });
}
