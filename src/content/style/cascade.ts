import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { parseColour } from './colours.ts';
import { type Declaration, parseDeclarations, splitOutside, wordsOf } from './css-syntax.ts';
import { editorStyles } from './editor-classes.ts';
import { matches } from './match-selector.ts';
import type { Sheet, StyleRule } from './parse-stylesheet.ts';
import { classesOf } from './simple-selectors.ts';
import { isValid } from './valid-values.ts';

/**
 * Declared values by property, in cascade order: a later property overrides earlier ones that it includes.
 * Names and values are in lower case.
 */
export type Declared = ReadonlyMap<string, string>;

const nothing: Declared = new Map();
const noRules: readonly StyleRule[] = [];

/**
 * Cascades the declarations for one element: editor classes, then style sheets, then its style attribute,
 * with `!important` ones last. Nothing is inherited or computed, and browsers' default styles are not
 * included. The shorthands `font`, `background` and `list-style` are expanded to the properties that are used
 * here; others stay.
 * @param spend charged one step for each test of a selector and for each class; what it throws is thrown
 */
export function declaredOf(element: ElementNode, sheet: Sheet, spend: (steps: number) => void): Declared {
  const style = attributeOf(element, 'style');
  const classes = classesOf(element);
  const rules = sheet.rules.size === 0 ? noRules : rulesFor(element, classes, sheet, spend);
  const editors = classes.map((name) => editorStyles.get(name)).filter((one) => one !== undefined);
  const inline = style === undefined ? [] : parseDeclarations(style);
  if (inline.length === 0 && rules.length === 0 && editors.length === 0) return nothing;
  const layers = [
    ...editors.map(parseDeclarations),
    ...rules.map(({ declarations }) => declarations),
    inline,
  ];
  const declared = new Map<string, string>();
  for (const important of [false, true])
    for (const layer of layers) {
      for (const declaration of layer)
        if (declaration.important === important) for (const one of expand(declaration)) set(declared, ...one);
    }
  if (declared.get('background-clip') === 'text') paintLetters(declared);
  return declared;
}

/** Replaces a background that is painted on letters alone, where they are transparent, by their colour. */
function paintLetters(declared: Map<string, string>): void {
  const letters = parseColour(declared.get('-webkit-text-fill-color') ?? declared.get('color') ?? '');
  const paint = declared.get('background-color') ?? 'transparent';
  const picture = declared.get('background-image') ?? 'none';
  if (letters?.[3] === 0 && (picture !== 'none' || paint !== 'transparent')) {
    declared.delete('-webkit-text-fill-color');
    declared.delete('color');
    if (picture === 'none') declared.set('color', paint);
  }
  declared.delete('background-color');
  declared.delete('background-image');
}

/** Moves the property to the end, so that a later `border` overrides `border-left`. */
function set(declared: Map<string, string>, property: string, value: string): void {
  declared.delete(property);
  declared.set(property, value);
}

function rulesFor(
  element: ElementNode,
  classes: readonly string[],
  sheet: Sheet,
  spend: (steps: number) => void,
): readonly StyleRule[] {
  const id = attributeOf(element, 'id');
  const keys = [
    '*',
    element.name,
    ...(id === undefined ? [] : [`#${id}`]),
    ...classes.map((one) => `.${one}`),
  ];
  spend(classes.length);
  const found = new Set<StyleRule>();
  for (const key of keys)
    for (const rule of sheet.rules.get(key) ?? noRules)
      if (matches(element, rule.selector, spend)) found.add(rule);
  return [...found].sort((a, b) => a.selector.specificity - b.selector.specificity || a.order - b.order);
}

const isLength = (word: string): boolean => /^(?:0|[\d.]+(?:px|pt|pc|em|rem|ex|in|cm|mm|%))$/.test(word);
const sizeWord = /^(?:xx-small|x-small|small|medium|large|x-large|xx-large|smaller|larger)$/;

/** Properties by another name, for a text that is written from left to right and from top to bottom. */
const otherNames: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'block-size': 'height',
    'inline-size': 'width',
    'max-block-size': 'max-height',
    'max-inline-size': 'max-width',
    'min-block-size': 'min-height',
    'min-inline-size': 'min-width',
    'margin-block-start': 'margin-top',
    'margin-inline-start': 'margin-left',
    'inset-block-start': 'top',
    'inset-block-end': 'bottom',
    'inset-inline-start': 'left',
    'inset-inline-end': 'right',
    'overflow-block': 'overflow-y',
    'overflow-inline': 'overflow-x',
    'text-decoration-line': 'text-decoration',
    '-webkit-clip-path': 'clip-path',
    '-webkit-background-clip': 'background-clip',
    '-webkit-opacity': 'opacity',
    '-webkit-filter': 'filter',
  }),
);

/**
 * Expands shorthands to the properties that are used here, and gives properties their usual names. What a
 * browser does not take is left out.
 */
function expand({ property, value }: Declaration): (readonly [string, string])[] {
  const usual = otherNames.get(property) ?? property;
  return isValid(usual, value) ? expandValid(usual, value) : [];
}

function expandValid(property: string, value: string): (readonly [string, string])[] {
  switch (property) {
    case 'font':
      return expandFont(value);
    case 'background':
      return expandBackground(value);
    case 'list-style': {
      const type = wordsOf(value).find((word) => /^[a-z-]+$/.test(word) && !/^(?:in|out)side$/.test(word));
      return type === undefined ? [] : [['list-style-type', type]];
    }
    case 'inset': {
      const [top, right = top, bottom = top, left = right] = wordsOf(value);
      return Object.entries({ top: top!, right: right!, bottom: bottom!, left: left! });
    }
    case 'overflow': {
      const [across, down = across] = wordsOf(value);
      return [
        ['overflow-x', across!],
        ['overflow-y', down!],
      ];
    }
    case 'scale':
      return [[property, `scale(${wordsOf(value).join(',')})`]];
    case 'translate':
      return [[property, `translate(${wordsOf(value).join(',')})`]];
    default:
      return [[property, value]];
  }
}

function expandFont(value: string): (readonly [string, string])[] {
  const words = wordsOf(value);
  const at = words.findIndex((word) => isLength(word.split('/')[0]!) || sizeWord.test(word.split('/')[0]!));
  if (at === -1) return [];
  const [size, line] = words[at]!.split('/');
  const before = words.slice(0, at);
  const family = words.slice(at + 1).join(' ');
  const weight = before.find((word) => /^(?:bold|bolder|lighter|[1-9]00)$/.test(word));
  return [
    ['font-size', size!],
    ...(line === undefined || line === '' ? [] : [['line-height', line] as const]),
    ...(weight === undefined ? [] : [['font-weight', weight] as const]),
    ...(before.includes('italic') ? [['font-style', 'italic'] as const] : []),
    ...(family === '' ? [] : [['font-family', family] as const]),
  ];
}

const notColours = [
  ...['none', 'no-', 'repeat', 'top', 'left', 'right', 'bottom', 'center', 'fixed', 'scroll', 'local'],
  ...['cover', 'contain', 'auto', 'initial', 'inherit', 'unset'],
  ...['border-box', 'content-box', 'padding-box'],
].join('|');
const backgroundColour = new RegExp(`^(?:#|[a-z-]+\\()|^(?!${notColours})[a-z]{3,}$`);

/** The colour, and an image, which makes the contrast of text on it unknown. */
function expandBackground(value: string): (readonly [string, string])[] {
  const words = splitOutside(value, ',').flatMap(wordsOf);
  const isPicture = (word: string) => /(?:url|gradient|image|image-set|element|cross-fade)\(/.test(word);
  const colour = words.find((word) => !isPicture(word) && backgroundColour.test(word));
  if (colour !== undefined && !isValid('background-color', colour)) return [];
  return [
    ['background-image', words.find(isPicture) ?? 'none'],
    ['background-color', colour ?? 'transparent'],
  ];
}
