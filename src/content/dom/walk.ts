import { attributeOf, type ChildNode, type ElementNode, type ParentNode, type TextNode } from './tree.ts';

/** What is called for each node. */
export interface Visitor {
  /** @returns whether to visit the children; `leave` is called after them, and not at all for false */
  enter(element: ElementNode): boolean;
  leave(element: ElementNode): void;
  text(node: TextNode): void;
}

/**
 * Visits the descendants of a node in document order, not the node itself. Comments and the contents of
 * `template` are skipped. Not recursive, because trees may be deep. The visitor must not change the tree.
 */
export function walk(root: ParentNode, visitor: Visitor): void {
  let node: ChildNode | undefined = root.first;
  while (node !== undefined) {
    if (node.kind === 'text') visitor.text(node);
    else if (node.kind === 'element' && visitor.enter(node)) {
      if (node.first !== undefined) {
        node = node.first;
        continue;
      }
      visitor.leave(node);
    }
    while (node.next === undefined) {
      const parent: ParentNode | undefined = node.parent;
      if (parent === undefined || parent === root || parent.kind === 'root') return;
      visitor.leave(parent);
      node = parent;
    }
    node = node.next;
  }
}

/**
 * The text of an element and its descendants as it is in the source, hidden text included, without that of
 * `script` and `style` elements inside it.
 * @param most maximum number of characters; further ones are left out
 */
export function textIn(element: ElementNode, most: number): string {
  let text = '';
  walk(element, {
    enter: ({ name }) => text.length < most && name !== 'script' && name !== 'style',
    leave() {},
    text(node) {
      if (text.length < most) text += node.text.slice(0, most - text.length);
    },
  });
  return text;
}

/** Whether an element is a link with an address, or contains one. */
export function holdsLink(element: ElementNode): boolean {
  let found = isLink(element);
  walk(element, {
    enter(inner) {
      found ||= isLink(inner);
      return !found;
    },
    leave() {},
    text() {},
  });
  return found;
}

const isLink = (element: ElementNode): boolean =>
  element.name === 'a' && attributeOf(element, 'href') !== undefined;
