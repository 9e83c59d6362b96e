/** The letters of the attribute `type`, as keywords of `list-style-type`. */
const types: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '1': 'decimal',
    a: 'lower-alpha',
    A: 'upper-alpha',
    i: 'lower-roman',
    I: 'upper-roman',
  }),
);
const bullets: ReadonlyMap<string, string> = new Map(
  Object.entries({ disc: '*', circle: 'o', square: '▪', none: '' }),
);

/**
 * The CSS `list-style-type` for a value of the attribute `type`: `1`, `a`, `A`, `i` or `I`, or `disc`,
 * `circle`, `square` or `none` in any case. Undefined for other values.
 */
export const listTypeOf = (attribute: string): string | undefined =>
  types.get(attribute) ?? (bullets.has(attribute.toLowerCase()) ? attribute.toLowerCase() : undefined);

const romans: readonly (readonly [number, string])[] = [
  [1000, 'm'],
  [900, 'cm'],
  [500, 'd'],
  [400, 'cd'],
  [100, 'c'],
  [90, 'xc'],
  [50, 'l'],
  [40, 'xl'],
  [10, 'x'],
  [9, 'ix'],
  [5, 'v'],
  [4, 'iv'],
  [1, 'i'],
];

function roman(value: number): string {
  if (value < 1 || value > 3999) return String(value);
  let rest = value;
  let text = '';
  for (const [worth, letters] of romans) {
    while (rest >= worth) {
      text += letters;
      rest -= worth;
    }
  }
  return text;
}

/** a to z, aa, ab, … */
function letters(value: number, first: string, count: number): string {
  if (value < 1) return String(value);
  let text = '';
  for (let rest = value; rest > 0; rest = Math.floor((rest - 1) / count))
    text = String.fromCharCode(first.charCodeAt(0) + ((rest - 1) % count)) + text;
  return text;
}

const greek = 'αβγδεζηθικλμνξοπρστυφχψω';

const counters: ReadonlyMap<string, (value: number) => string> = new Map(
  Object.entries({
    'lower-alpha': (value) => letters(value, 'a', 26),
    'lower-latin': (value) => letters(value, 'a', 26),
    'upper-alpha': (value) => letters(value, 'A', 26),
    'upper-latin': (value) => letters(value, 'A', 26),
    'lower-roman': roman,
    'upper-roman': (value) => roman(value).toUpperCase(),
    'lower-greek': (value) => greek[value - 1] ?? String(value),
    'decimal-leading-zero': (value) => (value >= 0 && value < 10 ? `0${value}` : String(value)),
  }),
);

/**
 * The marker of an item in text: `*`, `3.` or `c.`; empty for the type `none`.
 * @param type a CSS `list-style-type`. One that is not known here counts in decimal numbers
 * @param value the item's number. A style that cannot show it (letters for 0) shows it in decimal
 */
export function markerOf(type: string, value: number): string {
  return bullets.get(type) ?? `${(counters.get(type) ?? String)(value)}.`;
}
