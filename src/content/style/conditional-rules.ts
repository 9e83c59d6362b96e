import { pixelsOf, splitOutside } from './css-syntax.ts';

/* Media queries are evaluated for a wide, light screen with a pointer. */
const viewport = { width: 1024, height: 768 };

const words: ReadonlyMap<string, string> = new Map(
  Object.entries({
    orientation: 'landscape',
    'prefers-color-scheme': 'light',
    'prefers-reduced-motion': 'no-preference',
    'prefers-contrast': 'no-preference',
    'forced-colors': 'none',
    'inverted-colors': 'none',
    hover: 'hover',
    'any-hover': 'hover',
    pointer: 'fine',
    'any-pointer': 'fine',
    scripting: 'none',
    update: 'fast',
    'color-gamut': 'srgb',
    'display-mode': 'browser',
  }),
);

const numbers: ReadonlyMap<string, number> = new Map(
  Object.entries({
    width: viewport.width,
    'device-width': viewport.width,
    height: viewport.height,
    'device-height': viewport.height,
    resolution: 1,
    'device-pixel-ratio': 1,
    color: 8,
    monochrome: 0,
    grid: 0,
    'transform-3d': 1,
    'aspect-ratio': viewport.width / viewport.height,
    'device-aspect-ratio': viewport.width / viewport.height,
  }),
);

/**
 * Whether a list of media queries, as after `@media`, matches a light screen of 1024 × 768 pixels with a
 * mouse: one matching query suffices. A query whose result depends on a feature that is not known here does
 * not match. An empty list matches.
 */
export const mediaApplies = (list: string): boolean =>
  list.trim() === '' ||
  splitOutside(list.toLowerCase(), ',').some((one) => queryApplies(one.trim()) === true);

/** Undefined for an unknown result, which `not` keeps unknown. */
type Truth = boolean | undefined;

function queryApplies(query: string): Truth {
  const [, mark, type, rest] = /^(?:(not|only)\s+)?([a-z-]+)(?:\s+and\s+(.*))?$/s.exec(query) ?? [];
  if (type === undefined || type === 'not') return conditionHolds(query, featureHolds);
  const answer =
    (type === 'all' || type === 'screen') && (rest === undefined ? true : conditionHolds(rest, featureHolds));
  return mark === 'not' && answer !== undefined ? !answer : answer;
}

/** Maximum nesting of conditions. */
const maxDepth = 8;

/**
 * Evaluates `not (…)`, `(…) and (…)`, `(…) or (…)`, as in `@media` and `@supports`.
 * @param holds evaluates what is inside the brackets
 * @returns undefined when the result is unknown
 */
function conditionHolds(text: string, holds: (inner: string) => Truth, depth = 0): Truth {
  if (depth > maxDepth) return undefined;
  const parts = splitOutside(text.trim(), ' ').filter((part) => part !== '');
  if (parts.length === 1) {
    const inner = /^\((.*)\)$/s.exec(parts[0]!)?.[1]?.trim();
    if (inner === undefined) return holds(parts[0]!);
    return /^(?:\(|not[\s(])/.test(inner) ? conditionHolds(inner, holds, depth + 1) : holds(inner);
  }
  if (parts[0] === 'not') {
    const answer = conditionHolds(parts.slice(1).join(' '), holds, depth + 1);
    return answer === undefined ? undefined : !answer;
  }
  const link = parts[1];
  const answers = parts
    .filter((_, index) => index % 2 === 0)
    .map((part) => conditionHolds(part, holds, depth + 1));
  if ((link !== 'and' && link !== 'or') || parts.some((part, index) => index % 2 === 1 && part !== link))
    return undefined;
  // `and` is false once one is false, `or` is true once one is true, whatever is unknown beside it.
  if (answers.includes(link === 'or')) return link === 'or';
  return answers.includes(undefined) ? undefined : link === 'and';
}

/** `min-width: 600px`, `width >= 600px`, `400px <= width < 700px`, `hover` */
function featureHolds(text: string): Truth {
  const [name, value] = text.split(':', 2).map((part) => part.trim()) as [string, string | undefined];
  if (value === undefined) return rangeHolds(name);
  const bare = withoutPrefix(name);
  if (words.has(bare)) return words.get(bare) === value;
  const [, limit, feature] = /^(?:(min|max)-)?(.*)$/.exec(bare)!;
  const actual = numbers.get(feature!);
  const wanted = numberOf(value);
  if (actual === undefined || wanted === undefined) return undefined;
  if (limit === 'min') return actual >= wanted;
  return limit === 'max' ? actual <= wanted : actual === wanted;
}

const comparisons: ReadonlyMap<string, (a: number, b: number) => boolean> = new Map(
  Object.entries({
    '<': (a, b) => a < b,
    '<=': (a, b) => a <= b,
    '>': (a, b) => a > b,
    '>=': (a, b) => a >= b,
    '=': (a, b) => a === b,
  }),
);

const withoutPrefix = (name: string): string => name.replace(/^-webkit-/, '');
/** What a feature has when its name alone is false. */
const isOff: ReadonlySet<string | number> = new Set(['none', 'no-preference', 0]);

function rangeHolds(text: string): Truth {
  const terms = text.split(/([<>]=?|=)/).map((part) => part.trim());
  if (terms.length === 1) {
    const feature = withoutPrefix(text);
    const value = words.get(feature) ?? numbers.get(feature);
    return value === undefined ? undefined : !isOff.has(value);
  }
  const values = terms
    .filter((_, index) => index % 2 === 0)
    .map((part) => numbers.get(part) ?? numberOf(part));
  if (values.includes(undefined) || values.length > 3) return undefined;
  return terms
    .filter((_, index) => index % 2 === 1)
    .every((mark, index) => comparisons.get(mark)!(values[index]!, values[index + 1]!));
}

const dotsPerPixel: ReadonlyMap<string, number> = new Map(Object.entries({ dpi: 96, dpcm: 96 / 2.54 }));

function numberOf(text: string): number | undefined {
  const ratio = /^(\d{1,5}(?:\.\d{0,6})?)\s*\/\s*(\d{1,5})$/.exec(text);
  if (ratio !== null) return Number(ratio[1]) / Number(ratio[2]);
  const dots = /^(\d{1,5}(?:\.\d{0,4})?|\.\d{1,4})(dppx|x|dpi|dpcm)?$/.exec(text);
  if (dots !== null) return Number(dots[1]) / (dotsPerPixel.get(dots[2] ?? '') ?? 1);
  return pixelsOf(text);
}

/** Vendor-prefixed properties that current browsers do not support. */
const absent = /^-(?:ms|moz|o)-|^-webkit-(?:overflow-scrolling|touch-callout|backdrop-filter)$/;

/**
 * Evaluates the condition after `@supports` as a current browser does. Every property is taken as supported,
 * with any value, except those that only another vendor's browser has.
 * @returns undefined when the result is unknown, as for selectors and functions
 */
export const supportsApplies = (condition: string): Truth =>
  conditionHolds(condition.toLowerCase(), (inner) => {
    const property = /^([a-z-]+)\s*:/.exec(inner)?.[1];
    return property === undefined ? undefined : !absent.test(property);
  });
