import { attributeOf, type ElementNode } from '../dom/tree.ts';
import type { Declared } from '../style/cascade.ts';
import { listTypeOf, markerOf } from './list-markers.ts';

interface List {
  readonly type: string;
  readonly step: 1 | -1;
  next: number;
  /** Counters by level, for Quill. */
  readonly levels: number[];
}

const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\s*[+-]?\d{1,9}/.test(text) ? Number.parseInt(text, 10) : undefined;

const listStyle = (element: ElementNode, declared: Declared): string | undefined =>
  declared.get('list-style-type') ?? listTypeOf(attributeOf(element, 'type') ?? '');

/** How a list item is shown. */
export interface ListItem {
  /** In plain text: `*`, `1.`, `☑`, without surrounding spaces; empty for none. */
  readonly marker: string;
  /** The `value` attribute that the item needs in HTML; undefined when its list counts it. */
  readonly value: number | undefined;
  /** CSS declarations that the item needs in HTML; empty when its list's style suits it. */
  readonly style: string;
  /** In HTML, the text to insert before the item's content: `☑ ` or `☐ ` in a check list, else empty. */
  readonly tick: string;
  /** How many levels the item is indented below its list. Only Quill's lists do that. */
  readonly level: number;
}

/**
 * Quill uses one `ol` for all kinds of items and all levels. They differ by `data-list` and a class, which
 * its style sheet interprets.
 */
const ticks: ReadonlyMap<string, string> = new Map(Object.entries({ checked: '☑', unchecked: '☐' }));
const quillTypes = ['decimal', 'lower-alpha', 'lower-roman'] as const;

/** Computes the markers of list items while the tree is visited in document order. */
export class ListCounter {
  readonly #lists: List[] = [];

  /** Number of open lists. */
  get depth(): number {
    return this.#lists.length;
  }

  /** Begins a list, inside the innermost one that is open. */
  enter(list: ElementNode, declared: Declared): void {
    const reversed = list.name === 'ol' && attributeOf(list, 'reversed') !== undefined;
    this.#lists.push({
      type: listStyle(list, declared) ?? (list.name === 'ol' ? 'decimal' : 'disc'),
      step: reversed ? -1 : 1,
      next: whole(attributeOf(list, 'start')) ?? (reversed ? countItems(list) : 1),
      levels: [],
    });
  }

  /** Ends the innermost list. */
  leave(): void {
    this.#lists.pop();
  }

  /** How the next item of the innermost list is shown. Counts it. An item outside of any list gets `*`. */
  item(item: ElementNode, declared: Declared): ListItem {
    const list = this.#lists.at(-1);
    const kind = attributeOf(item, 'data-list');
    if (list !== undefined && kind !== undefined) return quillItem(item, kind, list);
    const plain = { value: undefined, style: '', tick: '', level: 0 };
    if (list === undefined) return { ...plain, marker: '*' };
    const value = whole(attributeOf(item, 'value')) ?? list.next;
    list.next = value + list.step;
    return { ...plain, marker: markerOf(listStyle(item, declared) ?? list.type, value) };
  }
}

function quillItem(item: ElementNode, kind: string, { levels }: List): ListItem {
  const level = Number(/(?:^|\s)ql-indent-([1-8])(?:\s|$)/.exec(attributeOf(item, 'class') ?? '')?.[1] ?? 0);
  levels.length = Math.min(levels.length, level + 1);
  const margin = level === 0 ? '' : `;padding-left:0;margin-left:${3 * level}em`;
  const tick = ticks.get(kind);
  if (tick !== undefined)
    return {
      marker: tick,
      value: undefined,
      style: `list-style-type:none${margin}`,
      tick: `${tick} `,
      level,
    };
  if (kind === 'bullet')
    return { marker: '*', value: undefined, style: `list-style-type:disc${margin}`, tick: '', level };
  const value = (levels[level] ?? 0) + 1;
  levels[level] = value;
  const type = quillTypes[level % 3]!;
  return { marker: markerOf(type, value), value, style: `list-style-type:${type}${margin}`, tick: '', level };
}

function countItems(list: ElementNode): number {
  let count = 0;
  for (let child = list.first; child !== undefined; child = child.next)
    if (child.kind === 'element' && child.name === 'li') count += 1;
  return count;
}
