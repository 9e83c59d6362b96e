import { symbolsOf } from '../dom/symbol-fonts.ts';
import type { Declared } from './cascade.ts';
import { parseColour } from './colours.ts';
import { pixelsOf, wordsOf } from './css-syntax.ts';

/*
 * Allowed styles: those that change the look of an element in place. Nothing that loads, hides or runs, and
 * nothing that could cover other content: no positions, no negative lengths, no sizes beyond these limits.
 */

type StyleFilter = (value: string) => string | undefined;

const between =
  (least: number, most: number, { percent = 0, auto = false } = {}): StyleFilter =>
  (value) => {
    if (auto && value === 'auto') return value;
    const share = /^(\d{1,4}(?:\.\d{0,4})?)%$/.exec(value);
    if (share !== null) return Number(share[1]) <= percent ? value : undefined;
    const size = pixelsOf(value);
    return size !== undefined && size >= least && size <= most ? value : undefined;
  };

const each =
  (check: StyleFilter): StyleFilter =>
  (value) => {
    const words = wordsOf(value);
    return words.length >= 1 && words.length <= 4 && words.every((word) => check(word) !== undefined)
      ? words.join(' ')
      : undefined;
  };

const oneOf = (...words: readonly string[]): StyleFilter => {
  const set = new Set(words);
  return (value) => (set.has(value) ? value : undefined);
};

const colour: StyleFilter = (value) =>
  parseColour(value) === undefined || /[^\w#%.,() /-]/.test(value) ? undefined : value;

/** Larger fonts are reduced to the size of a headline. */
const fontSize: StyleFilter = (value) => {
  if (/^(?:(?:x?x-)?(?:small|large)|medium|smaller|larger)$/.test(value)) return value;
  const size =
    pixelsOf(value) ?? (/^\d{1,3}(?:\.\d{0,3})?%$/.test(value) ? Number.parseFloat(value) * 0.16 : undefined);
  if (size === undefined || size < 0) return undefined;
  return size > 96 ? '96px' : value;
};

/** Symbol fonts are dropped, as their letters were replaced by symbols. */
const fontFamily: StyleFilter = (value) =>
  /^[\w\s,'"-]{1,200}$/.test(value) && symbolsOf(value) === undefined
    ? value.replace(/\s+/g, ' ')
    : undefined;

/** Small line heights are dropped, as lines would overlap. */
const lineHeight: StyleFilter = (value) => {
  if (value === 'normal') return value;
  if (/^\d(?:\.\d{0,6})?$/.test(value)) return Number(value) >= 0.9 && Number(value) <= 5 ? value : undefined;
  if (/^\d{1,3}(?:\.\d{0,4})?%$/.test(value))
    return Number.parseFloat(value) >= 90 && Number.parseFloat(value) <= 500 ? value : undefined;
  return between(12, 150)(value);
};

const borderStyle = oneOf(
  'none',
  'solid',
  'dashed',
  'dotted',
  'double',
  'groove',
  'ridge',
  'inset',
  'outset',
  'hidden',
);
const borderWidth: StyleFilter = (value) => oneOf('thin', 'medium', 'thick')(value) ?? between(0, 20)(value);

/** Word writes `solid windowtext 1.0pt`, others `1px solid #ccc`. */
const border: StyleFilter = (value) => {
  const words = wordsOf(value);
  if (words.length === 0 || words.length > 3) return undefined;
  const width = words.find((word) => borderWidth(word) !== undefined);
  const style = words.find((word) => borderStyle(word) !== undefined);
  const hue = words.find((word) => word !== width && word !== style && colour(word) !== undefined);
  const parts = [width, style, hue].filter((part) => part !== undefined);
  return parts.length === words.length ? parts.join(' ') : undefined;
};

const decoration: StyleFilter = (value) => {
  const lines = wordsOf(value).filter((word) => /^(?:underline|overline|line-through|none)$/.test(word));
  return lines.length === 0 ? undefined : lines.join(' ');
};

/** Flex and grid become block, and cells inline-block, which is similar. */
const display: StyleFilter = (value) => {
  if (/^(?:block|inline|inline-block)$/.test(value)) return value;
  if (/^(?:flex|grid|table|list-item|flow-root|table-row)$/.test(value)) return 'block';
  return /^(?:inline-flex|inline-grid|inline-table|table-cell)$/.test(value) ? 'inline-block' : undefined;
};

const space = between(0, 200, { percent: 50 });
const margin = between(0, 200, { percent: 50, auto: true });
const width = between(0, 2000, { percent: 100, auto: true });
const height = between(0, 2000, { percent: 100, auto: true });
const sides = ['top', 'right', 'bottom', 'left'] as const;
const perSide = (name: (side: string) => string, check: StyleFilter) =>
  sides.map((side) => [name(side), check] as const);

const checks: ReadonlyMap<string, StyleFilter> = new Map([
  ['color', colour],
  ['background-color', colour],
  ['font-family', fontFamily],
  ['font-size', fontSize],
  ['font-style', oneOf('normal', 'italic', 'oblique')],
  [
    'font-weight',
    oneOf('normal', 'bold', 'bolder', 'lighter', ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `${n}00`)),
  ],
  ['font-variant', oneOf('normal', 'small-caps')],
  ['line-height', lineHeight],
  ['letter-spacing', between(0, 20)],
  ['word-spacing', between(0, 50)],
  ['text-align', oneOf('left', 'right', 'center', 'justify', 'start', 'end')],
  ['text-decoration', decoration],
  ['text-indent', between(0, 200)],
  ['text-transform', oneOf('none', 'uppercase', 'lowercase', 'capitalize')],
  ['vertical-align', oneOf('baseline', 'sub', 'super', 'top', 'text-top', 'middle', 'bottom', 'text-bottom')],
  ['white-space', oneOf('normal', 'nowrap', 'pre', 'pre-wrap', 'pre-line', 'break-spaces')],
  ['word-break', oneOf('normal', 'break-all', 'keep-all', 'break-word')],
  ['word-wrap', oneOf('normal', 'break-word')],
  ['overflow-wrap', oneOf('normal', 'break-word', 'anywhere')],
  ['direction', oneOf('ltr', 'rtl')],
  ['unicode-bidi', oneOf('normal', 'embed', 'isolate', 'plaintext')],
  ['display', display],
  ['list-style-type', (value) => (/^[a-z-]{2,30}$/.test(value) ? value : undefined)],
  ['margin', each(margin)],
  ...perSide((side) => `margin-${side}`, margin),
  ['padding', each(space)],
  ...perSide((side) => `padding-${side}`, space),
  ['border', border],
  ...perSide((side) => `border-${side}`, border),
  ['border-style', each(borderStyle)],
  ['border-width', each(borderWidth)],
  ['border-color', each(colour)],
  ['border-collapse', oneOf('collapse', 'separate')],
  ['border-spacing', each(between(0, 50))],
  ['border-radius', each(between(0, 100, { percent: 50 }))],
  ['caption-side', oneOf('top', 'bottom')],
  ['table-layout', oneOf('auto', 'fixed')],
  ['width', width],
  ['max-width', width],
  ['min-width', between(0, 600)],
  ['height', height],
]);

/** Whether a style moves an element over other content; dropping it is reported. */
const displaces = (property: string, value: string): boolean =>
  property === 'position'
    ? /^(?:absolute|fixed|sticky)$/.test(value)
    : /^(?:margin(?:-.*)?|text-indent)$/.test(property) && /-\d{3}/.test(value);

/** Word's lists hang their markers in the margin. Within the element's own margin this is safe. */
function hangingIndent(declared: Declared): string | undefined {
  const indent = pixelsOf(declared.get('text-indent') ?? '') ?? 0;
  if (indent >= 0) return undefined;
  const room = (property: string) => pixelsOf(margin(declared.get(property) ?? '') ?? '') ?? 0;
  return room('margin-left') + room('padding-left') + indent >= 0
    ? `text-indent:${declared.get('text-indent')}`
    : undefined;
}

/**
 * The allowed part of a cascaded style, as the text of an attribute.
 * @returns `style`: declarations separated by `;`, not escaped and perhaps empty; `displaced`: whether a
 *   position or a large negative margin or indent was dropped, which could have covered other content. What
 *   else is dropped is not reported
 */
export function shownStyle(declared: Declared): { style: string; displaced: boolean } {
  const parts: string[] = [];
  let displaced = false;
  const hanging = hangingIndent(declared);
  if (hanging !== undefined) parts.push(hanging);
  for (const [property, value] of declared) {
    if (property === 'text-indent' && hanging !== undefined) continue;
    const shown = value.length > 300 ? undefined : checks.get(property)?.(value);
    if (shown !== undefined) parts.push(`${property}:${shown}`);
    else if (displaces(property, value)) displaced = true;
  }
  return { style: parts.join(';'), displaced };
}
