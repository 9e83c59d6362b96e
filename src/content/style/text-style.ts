import { symbolsOf } from '../dom/symbol-fonts.ts';
import { attributeOf, type ElementNode } from '../dom/tree.ts';
import type { Declared } from './cascade.ts';
import { black, type Colour, looksAlike, over, parseColour, parseLegacyColour, white } from './colours.ts';
import { pixelsOf } from './css-syntax.ts';

/**
 * How white space is rendered: `collapse` makes one space of each run, `lines` does so but keeps line breaks,
 * `keep` keeps it all.
 */
export type WhiteSpace = 'collapse' | 'lines' | 'keep';

/**
 * What decides whether text is readable and how its spaces count: the computed style of an element's text,
 * with what it inherits.
 */
export interface TextStyle {
  /** Pixels. */
  readonly fontSize: number;
  readonly colour: Colour;
  /** Opaque; undefined over an image. */
  readonly background: Colour | undefined;
  readonly space: WhiteSpace;
  /** Whether `visibility` is `visible`. */
  readonly visible: boolean;
  /** In a symbol font: the symbol that each letter stands for. Undefined in any other font. */
  readonly symbols: ReadonlyMap<string, string> | undefined;
  /** Whether the element is a flex box or a grid, whose children are boxes of their own. Not inherited. */
  readonly boxes: boolean;
}

/** The style outside of all elements: black text of 16 pixels on white. */
export const initialStyle: TextStyle = {
  fontSize: 16,
  colour: black,
  background: white,
  space: 'collapse',
  visible: true,
  symbols: undefined,
  boxes: false,
};

/** Smallest readable font size in pixels. */
const leastFontSize = 2;

/**
 * Whether text of this style is readable: visible, in a font of at least 2 pixels, of an opacity above 5 %,
 * and of a colour that differs enough from its background's.
 */
export const isReadable = ({ fontSize, colour, background, visible }: TextStyle): boolean =>
  visible &&
  fontSize >= leastFontSize &&
  colour[3] > 0.05 &&
  (background === undefined || !looksAlike(colour, background));

const sizes: ReadonlyMap<string, number> = new Map(
  Object.entries({
    'xx-small': 9,
    'x-small': 10,
    small: 13,
    medium: 16,
    large: 18,
    'x-large': 24,
    'xx-large': 32,
  }),
);

function fontSizeOf(value: string, parent: number): number {
  if (value === 'smaller') return parent / 1.2;
  if (value === 'larger') return parent * 1.2;
  if (value === 'initial') return 16;
  if (/^[\d.]+%$/.test(value)) return (parent * Number.parseFloat(value)) / 100;
  const size = sizes.get(value) ?? pixelsOf(value, parent) ?? parent;
  return size < 0 ? parent : size;
}

const spaces: ReadonlyMap<string, WhiteSpace> = new Map(
  Object.entries({
    normal: 'collapse',
    nowrap: 'collapse',
    initial: 'collapse',
    pre: 'keep',
    'pre-wrap': 'keep',
    'break-spaces': 'keep',
    'pre-line': 'lines',
  }),
);

const visibilities: ReadonlyMap<string, boolean> = new Map(
  Object.entries({ visible: true, initial: true, hidden: false, collapse: false }),
);

const linkBlue: Colour = [0, 0, 238, 1];
const markYellow: Colour = [255, 255, 0, 1];

function colourOf(element: ElementNode, declared: Declared, parent: TextStyle): Colour {
  const said = declared.get('-webkit-text-fill-color') ?? declared.get('color');
  if (said === 'inherit' || said === 'currentcolor') return parent.colour;
  const attribute = attributeOf(element, element.name === 'body' ? 'text' : 'color');
  const parsed =
    (said === undefined ? undefined : parseColour(said)) ??
    (attribute !== undefined && (element.name === 'font' || element.name === 'body')
      ? parseLegacyColour(attribute)
      : undefined);
  if (parsed !== undefined) return parsed;
  if (element.name === 'mark') return black;
  return element.name === 'a' && attributeOf(element, 'href') !== undefined ? linkBlue : parent.colour;
}

function backgroundOf(element: ElementNode, declared: Declared, parent: TextStyle): Colour | undefined {
  const picture = declared.get('background-image') ?? 'none';
  if (picture !== 'none' || (attributeOf(element, 'background') ?? '') !== '') return undefined;
  const said = declared.get('background-color');
  const attribute = attributeOf(element, 'bgcolor');
  const colour =
    (said === undefined ? undefined : parseColour(said)) ??
    (attribute === undefined ? undefined : parseLegacyColour(attribute));
  if (colour === undefined) return element.name === 'mark' ? markYellow : parent.background;
  if (colour[3] === 1) return colour;
  return parent.background === undefined ? undefined : over(colour, parent.background);
}

const keepsSpace = new Set(['pre', 'listing', 'xmp', 'plaintext', 'textarea']);

/**
 * Computes the style of an element's text from its declarations, its attributes (`color`, `bgcolor`, `face`)
 * and the style of its parent. Unsupported values count as absent. May return `parent` itself.
 */
export function textStyleOf(element: ElementNode, declared: Declared, parent: TextStyle): TextStyle {
  const keeps = keepsSpace.has(element.name);
  // Most elements change nothing: one object serves all of them.
  if (
    !(keeps || parent.boxes || element.name === 'mark') &&
    declared.size === 0 &&
    element.attributes.length === 0
  )
    return parent;
  const size = declared.get('font-size');
  const space = declared.get('white-space') ?? '';
  const seen = declared.get('visibility') ?? '';
  const family =
    declared.get('font-family') ?? (element.name === 'font' ? attributeOf(element, 'face') : undefined);
  const display = declared.get('display') ?? '';
  return {
    fontSize: size === undefined ? legacySize(element, parent) : fontSizeOf(size, parent.fontSize),
    colour: colourOf(element, declared, parent),
    background: backgroundOf(element, declared, parent),
    space: spaces.get(space) ?? (keeps ? 'keep' : parent.space),
    visible: visibilities.get(seen) ?? parent.visible,
    symbols: family === undefined ? parent.symbols : symbolsOf(family),
    boxes: /^(?:inline-)?(?:flex|grid)$/.test(display),
  };
}

/** `<font size>` is never too small to read. */
const legacySize = (element: ElementNode, parent: TextStyle): number =>
  element.name === 'font' && attributeOf(element, 'size') !== undefined ? 16 : parent.fontSize;
