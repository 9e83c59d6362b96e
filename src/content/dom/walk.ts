import type { ChildNode, ElementNode, ParentNode, TextNode } from './tree.ts';

export interface Visitor {
  /** @returns whether to go into it; `leave` is then called after what is in it */
  enter(element: ElementNode): boolean;
  leave(element: ElementNode): void;
  text(node: TextNode): void;
}

/**
 * Goes through all that is in a node, in the order of the document. Not recursive: nothing bounds how deep a
 * tree is.
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

/** The text in an element, up to so many characters. */
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
