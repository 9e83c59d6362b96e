import { splitOutside, unescapeCss } from './css-syntax.ts';
import type { Combinator, Compound, ElementTest, Selector } from './match-selector.ts';
import {
  attributeTest,
  classTest,
  InvalidSelector,
  idTest,
  nameTest,
  pseudoClassTest,
  UnknownSelector,
} from './simple-selectors.ts';

/** Maximum number of compounds and characters of a selector. */
const maxCompounds = 16;
const maxCharacters = 1000;

/** A blank after the digits of a code ends it. */
const escaped = String.raw`\\(?:[0-9a-f]{1,6}[ \t\n\r\f]?|[^\n])`;
const identifier =
  String.raw`(?:--|-?(?:[a-z_\u0080-\uffff]|${escaped}))` +
  String.raw`(?:[a-z0-9_\u0080-\uffff-]|${escaped})*`;
const value = String.raw`"[^"]*"|'[^']*'|(?:[^\s"'\]]|\\.)+`;
const pieces = new RegExp(
  [
    String.raw`(?<combinator>\s*[>+~]\s*|\s+)`,
    `(?<name>${identifier}|\\*)`,
    `#(?<id>${identifier})`,
    String.raw`\.(?<class>${identifier})`,
    String.raw`\[\s*(?<attribute>${identifier})\s*(?:(?<operator>[~|^$*]?=)\s*(?<value>${value})` +
      String.raw`\s*(?<flag>[is])?\s*)?\]`,
    `::(?<element>${identifier})(?:\\([^)]*\\))?`,
    `:(?<pseudo>${identifier})(?<open>\\()?`,
  ].join('|'),
  'iy',
);
type Piece = Readonly<Record<string, string | undefined>>;

const legacyElements = /^(?:before|after|first-line|first-letter)$/;
/** Those of browsers of today. They take every name that begins with `-webkit-`. */
const knownElements = new RegExp(
  `^(?:${[
    ...['before', 'after', 'first-line', 'first-letter', 'marker', 'selection', 'placeholder', 'backdrop'],
    ...['cue', 'file-selector-button', '(?:grammar|spelling)-error', 'target-text', 'search-text'],
    ...['highlight', 'part', 'slotted', 'details-content', 'view-transition(?:-[a-z-]+)?', 'checkmark'],
    ...['picker', 'picker-icon', 'column', 'scroll-(?:marker|marker-group|button)', '-webkit-.*'],
  ].join('|')})$`,
  'i',
);
const never: ElementTest = () => false;

/** A compound that is being parsed. */
interface CompoundDraft {
  tests: ElementTest[];
  name: string | undefined;
  id: string | undefined;
  firstClass: string | undefined;
}
const newDraft = (): CompoundDraft => ({ tests: [], name: undefined, id: undefined, firstClass: undefined });

/**
 * Compiles a list of selectors, separated by commas, in their order. A selector of a pseudo-element is
 * compiled, and matches nothing.
 * @throws InvalidSelector when one of them is not valid; UnknownSelector when one is valid but not supported,
 *   or has more than 1000 characters or 16 compounds. The first such selector decides
 */
export const compileSelectors = (list: string): Selector[] => splitOutside(list, ',').map(compileSelector);

/**
 * Compiles one selector.
 * @throws UnknownSelector when it is valid but not supported, InvalidSelector when it is not valid
 */
function compileSelector(written: string): Selector {
  const text = written.trim();
  if (text === '') throw new InvalidSelector();
  if (text.length > maxCharacters) throw new UnknownSelector();
  const drafts = [newDraft()];
  const combinators: Combinator[] = [];
  let specificity = 0;
  for (let at = 0; at < text.length; ) {
    pieces.lastIndex = at;
    const piece: Piece | undefined = pieces.exec(text)?.groups;
    if (piece === undefined) throw new InvalidSelector();
    const end = pieces.lastIndex;
    const draft = drafts.at(-1)!;
    if (piece.combinator !== undefined) {
      if (isEmpty(draft)) throw new InvalidSelector();
      combinators.push((piece.combinator.trim() || ' ') as Combinator);
      drafts.push(newDraft());
      at = end;
    } else if (piece.open !== undefined) {
      const close = closingBracket(text, end);
      specificity += addPseudoClass(draft, piece.pseudo!, text.slice(end, close));
      at = close + 1;
    } else {
      specificity += addPiece(draft, piece);
      at = end;
    }
  }
  if (isEmpty(drafts.at(-1)!)) throw new InvalidSelector();
  if (drafts.length > maxCompounds) throw new UnknownSelector();
  return { key: keyOf(drafts.at(-1)!), compounds: compoundsOf(drafts, combinators), specificity };
}

const isEmpty = ({ tests, name }: CompoundDraft): boolean => tests.length === 0 && name === undefined;

function compoundsOf(drafts: readonly CompoundDraft[], combinators: readonly Combinator[]): Compound[] {
  return drafts
    .map(({ tests, name }, index) => ({
      tests: name === undefined || name === '*' ? tests : [nameTest(name), ...tests],
      combinator: combinators[index - 1] ?? ' ',
    }))
    .reverse();
}

function keyOf({ id, firstClass, name }: CompoundDraft): string {
  if (id !== undefined) return `#${id}`;
  return firstClass !== undefined ? `.${firstClass}` : (name ?? '*');
}

/** Adds one simple selector to a compound. @returns its specificity */
function addPiece(draft: CompoundDraft, piece: Piece): number {
  if (piece.name !== undefined) {
    if (!isEmpty(draft)) throw new InvalidSelector();
    draft.name = unescapeCss(piece.name).toLowerCase();
    return draft.name === '*' ? 0 : 1;
  }
  if (piece.id !== undefined) {
    draft.id = unescapeCss(piece.id);
    draft.tests.push(idTest(draft.id));
    return 10_000;
  }
  if (piece.class !== undefined) {
    const name = unescapeCss(piece.class);
    draft.firstClass ??= name;
    draft.tests.push(classTest(name));
    return 100;
  }
  if (piece.attribute !== undefined) {
    const value = piece.value?.replace(/^(["'])(.*)\1$/s, '$2');
    draft.tests.push(
      attributeTest({
        name: unescapeCss(piece.attribute).toLowerCase(),
        operator: piece.operator ?? '',
        value: unescapeCss(value ?? ''),
        flag: piece.flag?.toLowerCase(),
      }),
    );
    return 100;
  }
  if (piece.element !== undefined) {
    if (!knownElements.test(piece.element)) throw new InvalidSelector();
    draft.tests.push(never);
    return 1;
  }
  return addPseudoClass(draft, piece.pseudo!, undefined);
}

function addPseudoClass(draft: CompoundDraft, written: string, argument: string | undefined): number {
  const name = written.toLowerCase();
  if (legacyElements.test(name)) {
    draft.tests.push(never);
    return 1;
  }
  const { test, specificity } = pseudoClassTest(name, argument, compileSelectors);
  draft.tests.push(test);
  return specificity;
}

function closingBracket(text: string, from: number): number {
  let depth = 1;
  let quote = '';
  for (let index = from; index < text.length; index += 1) {
    const character = text[index]!;
    if (character === '\\') index += 1;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '(') depth += 1;
    else if (character === ')' && --depth === 0) return index;
  }
  throw new InvalidSelector();
}
