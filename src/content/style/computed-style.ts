import { symbolsOf } from '../dom/symbol-fonts.ts';
import { attributeOf, type ElementNode } from '../dom/tree.ts';
import type { Declared } from './cascade.ts';
import {
  black,
  type Colour,
  contrast,
  looksAlike,
  over,
  parseColour,
  parseLegacyColour,
  white,
} from './colours.ts';
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
  /**
   * Includes the colour's own opacity, but not the effect of the property `opacity`. Undefined when it is not
   * known, as for `var()`.
   */
  readonly colour: Colour | undefined;
  /** Always opaque: it is mixed with what is behind it. Undefined over an image, and when it is not known. */
  readonly background: Colour | undefined;
  /**
   * The colours that the text has in the cleaned HTML, where images and unknown colours are dropped.
   * Undefined where `colour` and `background` are both known: the text has these.
   */
  readonly shown: ShownColours | undefined;
  readonly space: WhiteSpace;
  /** Whether `visibility` is `visible`. */
  readonly visible: boolean;
  /** In a symbol font: the symbol that each letter stands for. Undefined in any other font. */
  readonly symbols: ReadonlyMap<string, string> | undefined;
  /** Whether the element is a flex box or a grid, whose children are boxes of their own. Not inherited. */
  readonly boxes: boolean;
}

/** The colours of text and of what is behind it. */
export interface ShownColours {
  readonly colour: Colour;
  readonly background: Colour;
}

/** The style outside of all elements: black text of 16 pixels on white. */
export const initialStyle: TextStyle = {
  fontSize: 16,
  colour: black,
  background: white,
  shown: undefined,
  space: 'collapse',
  visible: true,
  symbols: undefined,
  boxes: false,
};

/** Contrast below which text is written in another colour where its background was dropped. */
const leastContrast = 2;
/** Smallest readable font size in pixels. */
const leastFontSize = 2;

/**
 * Whether text of this style is readable: visible, in a font of at least 2 pixels, of a colour whose own
 * opacity is above 5 % and that differs enough from its background's. An unknown colour counts as readable,
 * and so does a known one of more than 5 % on an unknown background. What hides a whole element, as
 * `display: none` and `opacity` do, is judged by is-hidden.ts.
 */
export const isReadable = ({ fontSize, colour, background, visible }: TextStyle): boolean =>
  visible &&
  fontSize >= leastFontSize &&
  (colour === undefined ||
    (colour[3] > 0.05 && (background === undefined || !looksAlike(colour, background))));

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
  return sizes.get(value) ?? pixelsOf(value, parent) ?? parent;
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
/** Elements to which browsers give letters and a background of their own: black on these. */
const ownBackgrounds: ReadonlyMap<string, Colour> = new Map([
  ['mark', [255, 255, 0, 1]],
  ['button', [239, 239, 239, 1]],
  ['textarea', white],
]);
const ownFontSizes: ReadonlyMap<string, number> = new Map(Object.entries({ button: 13, textarea: 13 }));

/** Values that stand for what an element would have without the declaration. */
const asIfUnsaid = /^(?:unset|revert|revert-layer)$/;

function colourOf(element: ElementNode, declared: Declared, parent: TextStyle): Colour | undefined {
  const fill = declared.get('-webkit-text-fill-color');
  const said = fill === undefined || fill === 'currentcolor' ? declared.get('color') : fill;
  if (said === 'inherit' || said === 'currentcolor') return parent.colour;
  if (said === 'initial') return black;
  if (said !== undefined && !asIfUnsaid.test(said)) return parseColour(said);
  const attribute = attributeOf(element, element.name === 'body' ? 'text' : 'color');
  const parsed =
    attribute !== undefined && (element.name === 'font' || element.name === 'body')
      ? parseLegacyColour(attribute)
      : undefined;
  if (parsed !== undefined) return parsed;
  if (ownBackgrounds.has(element.name)) return black;
  return element.name === 'a' && attributeOf(element, 'href') !== undefined ? linkBlue : parent.colour;
}

/** Elements whose attributes `bgcolor` and `background` count. */
const filledByAttribute = /^(?:body|table|thead|tbody|tfoot|tr|td|th|marquee)$/;

function backgroundOf(element: ElementNode, declared: Declared, parent: TextStyle): Colour | undefined {
  const picture = declared.get('background-image') ?? 'none';
  const filled = filledByAttribute.test(element.name);
  if (picture !== 'none' || (filled && (attributeOf(element, 'background') ?? '') !== '')) return undefined;
  const said = declared.get('background-color');
  if (said === 'inherit' || said === 'initial') return parent.background;
  if (said !== undefined && !asIfUnsaid.test(said) && parseColour(said) === undefined) return undefined;
  const colour = fillOf(element, declared);
  if (colour === undefined) return ownBackgrounds.get(element.name) ?? parent.background;
  if (colour[3] === 1) return colour;
  return parent.background === undefined ? undefined : over(colour, parent.background);
}

/** The colour that its declaration or attribute gives an element as its background, if it is known. */
function fillOf(element: ElementNode, declared: Declared): Colour | undefined {
  const said = declared.get('background-color');
  const attribute = filledByAttribute.test(element.name) ? attributeOf(element, 'bgcolor') : undefined;
  return (
    (said === undefined ? undefined : parseColour(said)) ??
    (attribute === undefined ? undefined : parseLegacyColour(attribute))
  );
}

/** @param colour and `background`: those of the element, as far as they are known */
function shownOf(
  element: ElementNode,
  declared: Declared,
  parent: TextStyle,
  { colour, background }: { colour: Colour | undefined; background: Colour | undefined },
): ShownColours | undefined {
  if (colour !== undefined && background !== undefined) return undefined;
  const around = parent.shown ?? { colour: parent.colour!, background: parent.background! };
  const fill = fillOf(element, declared);
  return {
    colour: colour ?? around.colour,
    background: background ?? (fill === undefined ? around.background : over(fill, around.background)),
  };
}

/**
 * The colour in which text must be written to be readable in the cleaned HTML: black or white where an image
 * or a colour was dropped and the contrast that remains is less than 2. Undefined where the text is readable
 * as it is.
 */
export function readableColour({ shown }: TextStyle): 'black' | 'white' | undefined {
  if (shown === undefined) return undefined;
  const { colour, background } = shown;
  if (contrast(over(colour, background), background) >= leastContrast) return undefined;
  return contrast(white, background) > contrast(black, background) ? 'white' : 'black';
}

const keepsSpace = new Set(['pre', 'listing', 'xmp', 'plaintext', 'textarea']);

/**
 * Computes the style of an element's text from these, of which the first that says something counts:
 * - its declarations;
 * - its presentational attributes: `color`, `face` and `size` of font, `text` of body, and `bgcolor` and
 *   `background` of body, marquee, tables and their parts except captions and columns. Any `size` of font
 *   counts as 16 pixels;
 * - what its name means: `pre`, `listing`, `xmp`, `plaintext` and `textarea` keep white space, a link with
 *   `href` is blue, and `mark`, `button` and `textarea` have black letters on a background of their own, the
 *   last two in a font of 13 pixels. Other defaults of browsers, such as the font sizes of headings, are left
 *   out;
 * - the style of its parent.
 *
 * A background image, even one of an attribute, takes precedence over any background colour. An unsupported
 * value is ignored, with two exceptions: an unsupported declared colour makes the colour unknown (undefined),
 * and an unsupported declared font size is the parent's, whatever attribute or name the element has. It may
 * return `parent` itself.
 */
export function textStyleOf(element: ElementNode, declared: Declared, parent: TextStyle): TextStyle {
  const keeps = keepsSpace.has(element.name);
  // Most elements change nothing: one object serves all of them.
  if (
    !(keeps || parent.boxes || ownBackgrounds.has(element.name)) &&
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
  const colour = colourOf(element, declared, parent);
  const background = backgroundOf(element, declared, parent);
  return {
    fontSize: size === undefined ? legacySize(element, parent) : fontSizeOf(size, parent.fontSize),
    colour,
    background,
    shown: shownOf(element, declared, parent, { colour, background }),
    space: spaces.get(space) ?? (keeps ? 'keep' : parent.space),
    visible: visibilities.get(seen) ?? parent.visible,
    symbols: family === undefined ? parent.symbols : symbolsOf(family),
    boxes: /^(?:inline-)?(?:flex|grid)$/.test(display),
  };
}

/** `<font size>` is never too small to read. */
const legacySize = (element: ElementNode, parent: TextStyle): number =>
  element.name === 'font' && attributeOf(element, 'size') !== undefined
    ? 16
    : (ownFontSizes.get(element.name) ?? parent.fontSize);
