/** Red, green, blue (0 to 255) and opacity (0 to 1). */
export type Colour = readonly [number, number, number, number];

/** Opaque white. */
export const white: Colour = [255, 255, 255, 1];
/** Opaque black. */
export const black: Colour = [0, 0, 0, 1];

function fromHex(digits: string): Colour {
  const short = digits.length < 6;
  const at = (index: number) =>
    short
      ? Number.parseInt(digits[index]!, 16) * 17
      : Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16);
  return [at(0), at(1), at(2), digits.length % 4 === 0 ? at(3) / 255 : 1];
}

/** The named colours of CSS Color 4, and the system colours that Word uses. */
const names = new Map<string, Colour>(
  (
    'aliceblue f0f8ff antiquewhite faebd7 aqua 00ffff aquamarine 7fffd4 azure f0ffff beige f5f5dc ' +
    'bisque ffe4c4 black 000000 blanchedalmond ffebcd blue 0000ff blueviolet 8a2be2 brown a52a2a ' +
    'burlywood deb887 cadetblue 5f9ea0 chartreuse 7fff00 chocolate d2691e coral ff7f50 ' +
    'cornflowerblue 6495ed cornsilk fff8dc crimson dc143c cyan 00ffff darkblue 00008b darkcyan 008b8b ' +
    'darkgoldenrod b8860b darkgray a9a9a9 darkgreen 006400 darkgrey a9a9a9 darkkhaki bdb76b ' +
    'darkmagenta 8b008b darkolivegreen 556b2f darkorange ff8c00 darkorchid 9932cc darkred 8b0000 ' +
    'darksalmon e9967a darkseagreen 8fbc8f darkslateblue 483d8b darkslategray 2f4f4f ' +
    'darkslategrey 2f4f4f darkturquoise 00ced1 darkviolet 9400d3 deeppink ff1493 deepskyblue 00bfff ' +
    'dimgray 696969 dimgrey 696969 dodgerblue 1e90ff firebrick b22222 floralwhite fffaf0 ' +
    'forestgreen 228b22 fuchsia ff00ff gainsboro dcdcdc ghostwhite f8f8ff gold ffd700 ' +
    'goldenrod daa520 gray 808080 green 008000 greenyellow adff2f grey 808080 honeydew f0fff0 ' +
    'hotpink ff69b4 indianred cd5c5c indigo 4b0082 ivory fffff0 khaki f0e68c lavender e6e6fa ' +
    'lavenderblush fff0f5 lawngreen 7cfc00 lemonchiffon fffacd lightblue add8e6 lightcoral f08080 ' +
    'lightcyan e0ffff lightgoldenrodyellow fafad2 lightgray d3d3d3 lightgreen 90ee90 lightgrey d3d3d3 ' +
    'lightpink ffb6c1 lightsalmon ffa07a lightseagreen 20b2aa lightskyblue 87cefa ' +
    'lightslategray 778899 lightslategrey 778899 lightsteelblue b0c4de lightyellow ffffe0 lime 00ff00 ' +
    'limegreen 32cd32 linen faf0e6 magenta ff00ff maroon 800000 mediumaquamarine 66cdaa ' +
    'mediumblue 0000cd mediumorchid ba55d3 mediumpurple 9370db mediumseagreen 3cb371 ' +
    'mediumslateblue 7b68ee mediumspringgreen 00fa9a mediumturquoise 48d1cc mediumvioletred c71585 ' +
    'midnightblue 191970 mintcream f5fffa mistyrose ffe4e1 moccasin ffe4b5 navajowhite ffdead ' +
    'navy 000080 oldlace fdf5e6 olive 808000 olivedrab 6b8e23 orange ffa500 orangered ff4500 ' +
    'orchid da70d6 palegoldenrod eee8aa palegreen 98fb98 paleturquoise afeeee palevioletred db7093 ' +
    'papayawhip ffefd5 peachpuff ffdab9 peru cd853f pink ffc0cb plum dda0dd powderblue b0e0e6 ' +
    'purple 800080 rebeccapurple 663399 red ff0000 rosybrown bc8f8f royalblue 4169e1 ' +
    'saddlebrown 8b4513 salmon fa8072 sandybrown f4a460 seagreen 2e8b57 seashell fff5ee sienna a0522d ' +
    'silver c0c0c0 skyblue 87ceeb slateblue 6a5acd slategray 708090 slategrey 708090 snow fffafa ' +
    'springgreen 00ff7f steelblue 4682b4 tan d2b48c teal 008080 thistle d8bfd8 tomato ff6347 ' +
    'turquoise 40e0d0 violet ee82ee wheat f5deb3 white ffffff whitesmoke f5f5f5 yellow ffff00 ' +
    'yellowgreen 9acd32 windowtext 000000 window ffffff canvas ffffff canvastext 000000'
  )
    // In pairs: a name cannot be told from digits such as ffffff by its letters.
    .match(/\S+ \S+/g)!
    .map((pair) => pair.split(' ') as [string, string])
    .map(([name, digits]) => [name, fromHex(digits)]),
);

/** A number, or a percentage of `whole`, that is limited to 0 to `whole`. */
const within = (whole: number, text: string): number => {
  const value = text.endsWith('%') ? (Number.parseFloat(text) * whole) / 100 : Number.parseFloat(text);
  return Math.max(0, Math.min(whole, value));
};
const channel = (text: string): number => within(255, text);
const opacity = (text = '1'): number => within(1, text);
const percentage = (text: string): number => within(100, text) / 100;

const number = String.raw`[+-]?(?:\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})(?:e[+-]?\d{1,3})?`;
/** With commas between the arguments, or with blanks, and a slash before the opacity. */
function functionOf(name: string, first: string, others: string): RegExp[] {
  const pattern = (between: string, last: string) =>
    `^${name}a?\\(\\s*${[first, others, others].join(between)}(?:${last}(${number}%?))?\\s*\\)$`;
  return [pattern('\\s*,\\s*', '\\s*,\\s*'), pattern('\\s+', '\\s*/\\s*')].map((text) => new RegExp(text));
}
const [rgbWithCommas, rgb] = functionOf('rgb', `(${number}%?)`, `(${number}%?)`);
const [hslWithCommas, hsl] = functionOf('hsl', `(${number})(?:deg)?`, `(${number}%?)`);

/** The arguments. Between commas, those of `rgb` are of one kind, and the last two of `hsl` percentages. */
function argumentsOf(text: string): readonly (string | undefined)[] | undefined {
  const parts = (rgb!.exec(text) ?? hsl!.exec(text))?.slice(1);
  if (parts !== undefined) return parts;
  const old = (rgbWithCommas!.exec(text) ?? hslWithCommas!.exec(text))?.slice(1);
  if (old === undefined) return undefined;
  const percentages = old.slice(0, 3).filter((part) => part!.endsWith('%')).length;
  return percentages === (text.startsWith('hsl') ? 2 : percentages && 3) ? old : undefined;
}

/** @param hue in degrees; the others are within 0 to 1 */
function fromHsl(hue: number, saturation: number, lightness: number, alpha: number): Colour {
  const part = (n: number) => {
    const k = (n + (((hue % 360) + 360) % 360) / 30) % 12;
    const a = saturation * Math.min(lightness, 1 - lightness);
    return Math.round(255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4), alpha];
}

/**
 * Parses a CSS colour: a name, `transparent`, 3, 4, 6 or 8 hexadecimal digits after `#`, `rgb()`, `rgba()`,
 * `hsl()` or `hsla()`. Of the system colours it knows those that Word uses.
 * @param text trimmed and in lower case
 * @returns undefined for other values, such as `currentcolor`
 */
export function parseColour(text: string): Colour | undefined {
  if (text === 'transparent') return [0, 0, 0, 0];
  const named = names.get(text);
  if (named !== undefined) return named;
  const hex = /^#([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})$/.exec(text)?.[1];
  if (hex !== undefined) return fromHex(hex);
  const [first, second, third, alpha] = argumentsOf(text) ?? [];
  if (first === undefined) return undefined;
  if (text.startsWith('rgb')) return [channel(first), channel(second!), channel(third!), opacity(alpha)];
  return fromHsl(Number(first), percentage(second!), percentage(third!), opacity(alpha));
}

/**
 * Parses the value of a colour attribute, in any case, in which `#` may be missing from six digits:
 * `bgcolor=FFFFFF`. Undefined for unsupported values.
 */
export const parseLegacyColour = (text: string): Colour | undefined => {
  const colour = text.trim().toLowerCase();
  return parseColour(colour) ?? (/^[0-9a-f]{6}$/.test(colour) ? fromHex(colour) : undefined);
};

/** Blends a colour over an opaque one. The result is opaque, and its channels may be fractions. */
export const over = ([r, g, b, alpha]: Colour, [r2, g2, b2]: Colour): Colour => [
  r * alpha + r2 * (1 - alpha),
  g * alpha + g2 * (1 - alpha),
  b * alpha + b2 * (1 - alpha),
  1,
];

/**
 * Whether text of this colour is unreadable on a background, because no channel differs by more than 8 of
 * 255.
 * @param background an opaque colour
 */
export function looksAlike(text: Colour, background: Colour): boolean {
  const shown = over(text, background);
  return [0, 1, 2].every((index) => Math.abs(shown[index]! - background[index]!) <= 8);
}

/** How much light a colour reflects, from 0 (black) to 1, by WCAG 2. */
function luminance(colour: Colour): number {
  const [red, green, blue] = [0, 1, 2].map((index) => {
    const share = colour[index]! / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast of two opaque colours by WCAG 2: from 1, for equal lightness, to 21 for black and white. */
export function contrast(one: Colour, other: Colour): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
