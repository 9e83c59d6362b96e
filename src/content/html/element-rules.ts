/** How an HTML element is shown. */
export interface ElementRule {
  /**
   * Name in the output. If absent, the element becomes a `span` (a `div` if it has `lines`) when it keeps an
   * attribute or style; else only its content is shown. A `div` that is made of another element needs one
   * too.
   */
  readonly as?: string;
  /**
   * In text: 1 for a block on lines of its own, 2 for a block with empty lines around it; absent for one
   * inside a line.
   */
  readonly lines?: 1 | 2;
  /** A void element without end tag. */
  readonly empty?: true;
  /** The element is removed with its content. A link takes the place of one that embeds (`changeCodes`). */
  readonly drop?: true;
}

const each = (names: string, rule: (name: string) => ElementRule): [string, ElementRule][] =>
  names.split(' ').map((name) => [name, rule(name)]);

/**
 * The rules of HTML elements by name; {@link inlineRule} is for all others. Mail programs know HTML 4 and
 * treat unknown elements as inline, so newer blocks become `div`.
 */
export const elementRules: ReadonlyMap<string, ElementRule> = new Map([
  ...each(
    'a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong ' +
      'sub sup time tt u var',
    (as) => ({ as }),
  ),
  ...each('img br wbr', (as) => ({ as, empty: true })),
  ...each('col', (as) => ({ as, empty: true })),
  ...each('hr', (as) => ({ as, empty: true, lines: 1 })),
  ...each('div center dt dd li caption tr', (as) => ({ as, lines: 1 })),
  ...each('p h1 h2 h3 h4 h5 h6 ul ol dl blockquote pre table', (as) => ({ as, lines: 2 })),
  ...each('thead tbody tfoot colgroup td th', (as) => ({ as })),
  ...each(
    'address article aside body details dialog fieldset figcaption figure footer form header hgroup ' +
      'html legend main nav search section summary optgroup option',
    () => ({ as: 'div', lines: 1 }),
  ),
  ...each('dir menu', () => ({ as: 'ul', lines: 2 })),
  ...each('listing plaintext xmp', () => ({ as: 'pre', lines: 2 })),
  ...each('acronym', () => ({ as: 'abbr' })),
  ...each('marquee', () => ({ lines: 1 })),
  ...each(
    'area audio base basefont bgsound canvas command datalist embed frame frameset head iframe keygen ' +
      'link meta meter noembed noframes param progress rp script source style svg template title ' +
      'track video',
    () => ({ drop: true }),
  ),
]);

/**
 * The rule for elements that are not listed: they become a `span` if they keep an attribute or style, else
 * only their content is shown. Of `select` and `input`, what the field shows is shown.
 */
export const inlineRule: ElementRule = {};

/**
 * Elements that may be in a `p` and contain blocks. The output does not have their tags, so those blocks
 * would end the `p` when it is parsed. It is therefore cleaned a second time.
 */
export const needsSecondPass = new Set([
  'applet',
  'button',
  'legend',
  'marquee',
  'object',
  'optgroup',
  'option',
]);

/** Names of output elements that may have an `s` as a direct child, because they accept phrasing content. */
export const mayContainStrike = new Set(
  (
    'a abbr b bdi bdo big blockquote caption center cite code dd del dfn div dt em font h1 h2 h3 h4 ' +
    'h5 h6 i ins kbd li mark p q samp small span strong sub sup td th time tt u var'
  ).split(' '),
);

/**
 * By element name: the code that is added to `changes` because the element loses its function. A field's
 * value is kept as text, and embedded content becomes a link if its address is allowed.
 */
export const changeCodes: ReadonlyMap<string, 'SCRIPT' | 'FORM' | 'EMBEDDED'> = new Map(
  Object.entries({
    script: 'SCRIPT',
    select: 'FORM',
    input: 'FORM',
    textarea: 'FORM',
    area: 'EMBEDDED',
    audio: 'EMBEDDED',
    canvas: 'EMBEDDED',
    embed: 'EMBEDDED',
    frame: 'EMBEDDED',
    iframe: 'EMBEDDED',
    object: 'EMBEDDED',
    video: 'EMBEDDED',
  }),
);
