import type { Declared } from './declared.ts';
import { listTypeOf, markerOf } from './lists.ts';
import { attributeOf, type ElementNode } from './tree.ts';

interface List {
  readonly type: string;
  readonly step: 1 | -1;
  next: number;
}

const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\s*[+-]?\d{1,9}/.test(text) ? Number.parseInt(text, 10) : undefined;

const listStyle = (element: ElementNode, declared: Declared): string | undefined =>
  declared.get('list-style-type') ?? listTypeOf(attributeOf(element, 'type') ?? '');

/** What Quill and others say of single items of an `ol`. */
const itemTypes: Readonly<Record<string, string>> = { bullet: '*', checked: '☑', unchecked: '☐' };

/** The markers of the lists that one is in. */
export class ListCounter {
  readonly #lists: List[] = [];

  get depth(): number {
    return this.#lists.length;
  }

  enter(list: ElementNode, declared: Declared): void {
    const reversed = list.name === 'ol' && attributeOf(list, 'reversed') !== undefined;
    this.#lists.push({
      type: listStyle(list, declared) ?? (list.name === 'ol' ? 'decimal' : 'disc'),
      step: reversed ? -1 : 1,
      next: whole(attributeOf(list, 'start')) ?? (reversed ? countItems(list) : 1),
    });
  }

  leave(): void {
    this.#lists.pop();
  }

  /** The marker of the next item, without blanks around it; empty for none. */
  marker(item: ElementNode, declared: Declared): string {
    const list = this.#lists.at(-1);
    if (list === undefined) return '*';
    const value = whole(attributeOf(item, 'value')) ?? list.next;
    list.next = value + list.step;
    return (
      itemTypes[attributeOf(item, 'data-list') ?? ''] ??
      markerOf(listStyle(item, declared) ?? list.type, value)
    );
  }
}

function countItems(list: ElementNode): number {
  let count = 0;
  for (let child = list.first; child !== undefined; child = child.next)
    if (child.kind === 'element' && child.name === 'li') count += 1;
  return count;
}
