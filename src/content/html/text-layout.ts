import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { textIn, walk } from '../dom/walk.ts';
import type { Declared } from '../style/cascade.ts';
import type { TextStyle } from '../style/computed-style.ts';
import { pixelsOf, wordsOf } from '../style/css-syntax.ts';
import type { ElementRule } from './element-rules.ts';

/** Line breaks: 1 ends the line, 2 adds an empty line. */
export type Lines = 0 | 1 | 2;

const isFlat = (margin: string | undefined): boolean =>
  margin !== undefined && margin !== 'auto' && Math.abs(pixelsOf(margin) ?? 16) < 3;

/**
 * Line breaks before and after an element in text, by its rule, its `display` and its margins. A paragraph
 * without margins, as Word writes them, gets no empty lines.
 * @param parent the style of the element around it
 * @param nested whether the element is a table in a table, which gets no empty lines
 */
export function gapsOf(
  rule: ElementRule,
  declared: Declared,
  parent: TextStyle,
  nested: boolean,
): { before: Lines; after: Lines } {
  const display = declared.get('display') ?? '';
  if (/^(?:inline|contents|table-cell)/.test(display)) return { before: 0, after: 0 };
  const lines =
    rule.lines ??
    (parent.boxes || /^(?:block|flex|grid|table|list-item|flow-root|table-row)$/.test(display) ? 1 : 0);
  if (lines !== 2) return { before: lines, after: lines };
  if (nested) return { before: 1, after: 1 };
  const all = wordsOf(declared.get('margin') ?? '');
  const gap = (margin: string | undefined): Lines => (isFlat(margin) ? 1 : 2);
  return {
    before: gap(declared.get('margin-top') ?? all[0]),
    after: gap(declared.get('margin-bottom') ?? all[2] ?? all[0]),
  };
}

/** Ordinals such as 1st, 2nd and 1er are raised without a meaning. */
const ordinal = /^(?:st|nd|rd|th|er|re|ère|e|ème|o|a|os|as|º|ª|tm|sm|r|c|\(r\)|\(c\))$/i;

/**
 * The mark that text needs before a superscript or subscript: `^` in `10^6`, `_` in `10_2`. Empty for other
 * elements, and where text is clear without it, as in H2O and 1st.
 * @param before the last character of the text before the element
 */
export function raisedMark(element: ElementNode, declared: Declared, before: string): string {
  const align = declared.get('vertical-align');
  const raised = align === 'super' || (element.name === 'sup' && align === undefined);
  const lowered = align === 'sub' || (element.name === 'sub' && align === undefined);
  if (!(raised || lowered) || !/[\p{L}\p{N})\]]/u.test(before)) return '';
  const inside = textIn(element, 20).trim();
  if (!/^[+\-−–(]?[\p{L}\p{N}]/u.test(inside) || ordinal.test(inside)) return '';
  return raised ? '^' : /\p{N}/u.test(before) ? '_' : '';
}

/**
 * The text that an `input` or a `select` shows: a tick or an empty box, the value of a text field or a
 * button, or the selected options of a list. Empty for passwords, hidden fields and images.
 */
export function shownByField(element: ElementNode): string {
  if (element.name === 'select') return choiceOf(element);
  const type = (attributeOf(element, 'type') ?? 'text').toLowerCase();
  const checked = attributeOf(element, 'checked') !== undefined;
  if (type === 'checkbox') return checked ? '☑ ' : '☐ ';
  if (type === 'radio') return checked ? '◉ ' : '○ ';
  return type === 'hidden' || type === 'image' || type === 'password'
    ? ''
    : (attributeOf(element, 'value') ?? '');
}

/** The selected options. A list that opens on demand shows its first option when none is selected. */
function choiceOf(list: ElementNode): string {
  const options: ElementNode[] = [];
  walk(list, {
    enter(element) {
      if (element.name === 'option') options.push(element);
      return element.name !== 'option';
    },
    leave() {},
    text() {},
  });
  const selected = options.filter((option) => attributeOf(option, 'selected') !== undefined);
  const many = attributeOf(list, 'multiple') !== undefined;
  const chosen = many ? selected : [selected.at(-1) ?? options[0]];
  return chosen.flatMap((option) => (option ? [labelOf(option)] : [])).join(', ');
}

const labelOf = (option: ElementNode): string =>
  (attributeOf(option, 'label') || textIn(option, 1000)).replaceAll(/\s+/g, ' ').trim();
