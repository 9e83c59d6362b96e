/** What becomes of an element of HTML. */
export interface ElementRule {
  /** Its name in what is shown; absent: what is in it is shown without it. */
  readonly as?: string;
  /** It begins and ends a line; 2: with an empty line between it and its neighbours. */
  readonly lines?: 1 | 2;
  /** It holds nothing, and has no end tag. */
  readonly empty?: true;
  /** Nothing in it is shown. */
  readonly drop?: true;
}

const each = (names: string, rule: (name: string) => ElementRule): [string, ElementRule][] =>
  names.split(' ').map((name) => [name, rule(name)]);

/**
 * Mail programs know the elements of HTML 4 and lay out what they do not know as one running line, so newer
 * blocks become `div`. Whatever is not listed is shown without its tags.
 */
export const elementRules: ReadonlyMap<string, ElementRule> = new Map([
  ...each(
    'a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup time tt u var',
    (as) => ({ as }),
  ),
  ...each('img br wbr', (as) => ({ as, empty: true })),
  ...each('col', (as) => ({ as, empty: true })),
  ...each('hr', (as) => ({ as, empty: true, lines: 1 })),
  ...each('div center dt dd li caption tr', (as) => ({ as, lines: 1 })),
  ...each('p h1 h2 h3 h4 h5 h6 ul ol dl blockquote pre table', (as) => ({ as, lines: 2 })),
  ...each('thead tbody tfoot colgroup td th', (as) => ({ as })),
  ...each(
    'address article aside body details dialog fieldset figcaption figure footer form header hgroup html legend main nav ' +
      'search section summary optgroup option',
    () => ({ as: 'div', lines: 1 }),
  ),
  ...each('dir menu', () => ({ as: 'ul', lines: 2 })),
  ...each('listing plaintext xmp', () => ({ as: 'pre', lines: 2 })),
  ...each('acronym', () => ({ as: 'abbr' })),
  ...each('marquee', () => ({ lines: 1 })),
  ...each(
    'area audio base basefont bgsound canvas command datalist embed frame frameset head iframe keygen link meta meter noembed ' +
      'noframes param progress rp script select source style svg template title track video',
    () => ({ drop: true }),
  ),
]);

export const inlineRule: ElementRule = {};

/**
 * Parsed, these can stand in a `p` with what they are shown as or with blocks in them. Written without them,
 * the `p` ends before.
 */
export const loosening = new Set(['applet', 'button', 'legend', 'marquee', 'object', 'optgroup', 'option']);

/** What takes text, so that `s` may stand right inside it. */
export const takesText = new Set(
  (
    'a abbr b bdi bdo big blockquote caption center cite code dd del dfn div dt em font h1 h2 h3 h4 h5 h6 i ins kbd li ' +
    'mark p q samp small span strong sub sup td th time tt u var'
  ).split(' '),
);

/**
 * Whatever is more than a style, a title or a hint for machines, and is left out: the word for it in
 * `changes`.
 */
export const leftOut: Readonly<Record<string, 'SCRIPT' | 'FORM' | 'EMBEDDED' | undefined>> = {
  script: 'SCRIPT',
  select: 'FORM',
  input: 'FORM',
  textarea: 'FORM',
  audio: 'EMBEDDED',
  canvas: 'EMBEDDED',
  embed: 'EMBEDDED',
  frame: 'EMBEDDED',
  iframe: 'EMBEDDED',
  object: 'EMBEDDED',
  video: 'EMBEDDED',
};
