import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { splitOutside } from './css-syntax.ts';
import { type ElementTest, matches, type Selector, type Spend } from './match-selector.ts';
import { siblingPlaceOf } from './sibling-position.ts';

/** A selector that browsers support and we do not: `:has()`, `:valid`, `:nth-child(… of …)`. */
export class UnknownSelector extends Error {}
/** An invalid selector, for which a browser drops the whole rule. */
export class InvalidSelector extends Error {}

/** Tests the name of an element, which is in lower case. */
export const nameTest =
  (name: string): ElementTest =>
  (element) =>
    element.name === name;

/** Tests the attribute `id`. Case matters. */
export const idTest =
  (id: string): ElementTest =>
  (element) =>
    attributeOf(element, 'id') === id;

/** The classes of an element, in the order of the attribute. */
export const classesOf = (element: ElementNode): readonly string[] => wordsIn(attributeOf(element, 'class'));

const wordsIn = (text: string | undefined): readonly string[] =>
  text?.split(/[ \t\n\f\r]+/).filter((word) => word !== '') ?? [];

/** Tests whether an element has a class. Case matters. */
export const classTest =
  (name: string): ElementTest =>
  (element) =>
    classesOf(element).includes(name);

/** Attributes whose values are case-insensitive in HTML. */
const caseless = new Set(
  (
    'accept accept-charset align alink axis bgcolor charset checked clear codetype color compact ' +
    'declare defer dir direction disabled enctype face frame hreflang http-equiv lang language link ' +
    'media method multiple nohref noresize noshade nowrap readonly rel rev rules scope scrolling ' +
    'selected shape target text type valign valuetype vlink'
  ).split(' '),
);

const comparisons: ReadonlyMap<string, (found: string, wanted: string) => boolean> = new Map(
  Object.entries({
    '': () => true,
    '=': (found, wanted) => found === wanted,
    '~=': (found, wanted) => wordsIn(found).includes(wanted),
    '|=': (found, wanted) => found === wanted || found.startsWith(`${wanted}-`),
    '^=': (found, wanted) => wanted !== '' && found.startsWith(wanted),
    '$=': (found, wanted) => wanted !== '' && found.endsWith(wanted),
    '*=': (found, wanted) => wanted !== '' && found.includes(wanted),
  }),
);

/**
 * Tests an attribute, as `[name operator value flag]`. The operator is one of CSS (`=`, `~=`, `|=`, `^=`,
 * `$=`, `*=`), or empty if the attribute need only exist. With the flag `i` case does not matter, and without
 * a flag not for attributes such as `type`, whose values are case-insensitive in HTML. The name is in lower
 * case.
 */
export function attributeTest({
  name,
  operator,
  value,
  flag,
}: {
  readonly name: string;
  readonly operator: string;
  readonly value: string;
  readonly flag: string | undefined;
}): ElementTest {
  const compare = comparisons.get(operator)!;
  const anyCase = flag === 'i' || (flag === undefined && caseless.has(name));
  const wanted = anyCase ? value.toLowerCase() : value;
  return (element) => {
    const found = attributeOf(element, name);
    return found !== undefined && compare(anyCase ? found.toLowerCase() : found, wanted);
  };
}

const isLink: ElementTest = (element) =>
  (element.name === 'a' || element.name === 'area') && attributeOf(element, 'href') !== undefined;
const isField = (element: ElementNode): boolean =>
  /^(?:button|input|select|textarea|optgroup|option|fieldset)$/.test(element.name);
const has = (element: ElementNode, name: string): boolean => attributeOf(element, name) !== undefined;

const nothing: ElementTest = () => false;
const isRoot: ElementTest = ({ parent }) => parent?.kind === 'root';

/** States of a static page without interaction. */
const states: ReadonlyMap<string, ElementTest> = new Map(
  Object.entries({
    'first-child': (element, spend) => siblingPlaceOf(element, spend).index === 1,
    'last-child': (element, spend) => siblingPlaceOf(element, spend).fromEnd === 1,
    'only-child': (element, spend) =>
      siblingPlaceOf(element, spend).index === 1 && siblingPlaceOf(element, spend).fromEnd === 1,
    'first-of-type': (element, spend) => siblingPlaceOf(element, spend).ofType === 1,
    'last-of-type': (element, spend) => siblingPlaceOf(element, spend).ofTypeFromEnd === 1,
    'only-of-type': (element, spend) =>
      siblingPlaceOf(element, spend).ofType === 1 && siblingPlaceOf(element, spend).ofTypeFromEnd === 1,
    empty: ({ first }) => {
      for (let node = first; node !== undefined; node = node.next) if (node.kind !== 'comment') return false;
      return true;
    },
    root: isRoot,
    scope: isRoot,
    link: isLink,
    'any-link': isLink,
    '-webkit-any-link': isLink,
    checked: (element) =>
      (element.name === 'input' && has(element, 'checked')) ||
      (element.name === 'option' && has(element, 'selected')),
    disabled: (element) => isField(element) && has(element, 'disabled'),
    enabled: (element) => isField(element) && !has(element, 'disabled'),
    defined: () => true,
    open: (element) => /^(?:details|dialog)$/.test(element.name) && has(element, 'open'),
    ...Object.fromEntries(
      (
        'hover active focus focus-visible focus-within visited target target-within fullscreen modal host ' +
        'picture-in-picture autofill -webkit-autofill -webkit-drag -webkit-full-screen current past ' +
        'future playing popover-open user-invalid user-valid'
      )
        .split(' ')
        .map((name) => [name, nothing]),
    ),
  }),
);

const indexes: ReadonlyMap<string, (element: ElementNode, spend: Spend) => number> = new Map(
  Object.entries({
    'nth-child': (element, spend) => siblingPlaceOf(element, spend).index,
    'nth-last-child': (element, spend) => siblingPlaceOf(element, spend).fromEnd,
    'nth-of-type': (element, spend) => siblingPlaceOf(element, spend).ofType,
    'nth-last-of-type': (element, spend) => siblingPlaceOf(element, spend).ofTypeFromEnd,
  }),
);

/** Valid in browsers, but not supported here, as they are rare in mail. */
const notUnderstood = new Set(
  (
    'active-view-transition default dir has has-slotted heading host-context in-range indeterminate ' +
    'invalid muted nth-last-col nth-col optional out-of-range paused placeholder-shown read-only ' +
    'read-write required seeking stalled state target-current valid'
  ).split(' '),
);

/**
 * Compiles a pseudo-class. States of interaction, such as `:hover` and `:visited`, match no element.
 * @param name in lower case, without the colon
 * @param argument what is inside of its brackets; undefined without brackets
 * @param compile compiles the selectors in the argument of `:not`, `:is` and `:where`
 * @returns its test, and its specificity: 100; of `:not` and `:is` that of their most specific selector; of
 *   `:where` 0
 * @throws UnknownSelector, InvalidSelector
 */
export function pseudoClassTest(
  name: string,
  argument: string | undefined,
  compile: (list: string) => readonly Selector[],
): { readonly test: ElementTest; readonly specificity: number } {
  const state = argument === undefined ? states.get(name) : undefined;
  if (state !== undefined) return { test: state, specificity: 100 };
  if (notUnderstood.has(name)) throw new UnknownSelector();
  if (argument === undefined) throw new InvalidSelector();
  const index = indexes.get(name);
  if (index !== undefined) return { test: nthTest(argument, index), specificity: 100 };
  if (name === 'lang') return { test: langTest(argument), specificity: 100 };
  if (!/^(?:not|is|where|matches|-webkit-any)$/.test(name)) throw new InvalidSelector();
  return listTest(name, /^(?:is|where)$/.test(name) ? compileValid(argument, compile) : compile(argument));
}

/** Of the selectors in `:is` and `:where`, an invalid one is left out alone. */
const compileValid = (list: string, compile: (list: string) => readonly Selector[]): Selector[] =>
  splitOutside(list, ',').flatMap((one) => {
    try {
      return compile(one);
    } catch (error) {
      if (error instanceof InvalidSelector) return [];
      throw error;
    }
  });

function listTest(name: string, selectors: readonly Selector[]): { test: ElementTest; specificity: number } {
  const any: ElementTest = (element, spend) => selectors.some((one) => matches(element, one, spend));
  return {
    test: name === 'not' ? (element, spend) => !any(element, spend) : any,
    specificity: name === 'where' ? 0 : Math.max(0, ...selectors.map(({ specificity }) => specificity)),
  };
}

const formulas: ReadonlyMap<string, string> = new Map(Object.entries({ odd: '2n+1', even: '2n' }));

/** `odd`, `3`, `2n+1`, `-n + 3` */
function nthTest(argument: string, index: (element: ElementNode, spend: Spend) => number): ElementTest {
  const text = argument.trim().toLowerCase();
  if (/\sof\s/.test(text)) throw new UnknownSelector();
  const formula = (formulas.get(text) ?? text).replace(/\s*([+-])\s*/g, '$1');
  const parts = /^(?:([+-]?\d{0,9})n)?([+-]?\d{1,9})?$/.exec(formula);
  if (formula === '' || parts === null) throw new InvalidSelector();
  const [, factor, offset] = parts;
  const step = factor === undefined ? 0 : /\d/.test(factor) ? Number(factor) : Number(`${factor}1`);
  const begin = Number(offset ?? 0);
  return (element, spend) => {
    const past = index(element, spend) - begin;
    return step === 0 ? past === 0 : past % step === 0 && past / step >= 0;
  };
}

function langTest(argument: string): ElementTest {
  const wanted = argument.split(',').map((one) => one.trim().replace(/["']/g, '').toLowerCase());
  return (element, spend) => {
    for (let at: ElementNode | undefined = element; at !== undefined; ) {
      spend(1);
      const found = attributeOf(at, 'lang')?.toLowerCase();
      if (found !== undefined) return wanted.some((one) => found === one || found.startsWith(`${one}-`));
      at = at.parent?.kind === 'element' ? at.parent : undefined;
    }
    return false;
  };
}
