import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { parseColour } from './colours.ts';
import { editorStyles } from './editor-classes.ts';
import { matches } from './match-selector.ts';
import { parseDeclarations } from './parse-declarations.ts';
import type { Sheet, StyleRule } from './parse-stylesheet.ts';
import { classesOf } from './simple-selectors.ts';

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
 * included. Shorthands are expanded and properties have their usual names, as parse-declarations.ts says. A
 * background that is painted on letters alone is left out; transparent letters have its colour.
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
        if (declaration.important === important) set(declared, declaration.property, declaration.value);
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
