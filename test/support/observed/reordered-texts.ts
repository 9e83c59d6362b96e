import type { Page } from 'playwright-core';

/**
 * Texts of a page whose letters are not shown from the left to the right. A name with a character that turns
 * the direction may turn itself, but nothing beside it: it is found as well, unless it has a `bdi` or a block
 * of its own, without the address that follows it.
 */
export const reorderedTexts = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const range = document.createRange();
    function isAlone({ parentElement: parent, nodeValue: text }: Node): boolean {
      if (parent === null || text?.includes('@')) return false;
      const isOwn = parent.tagName === 'BDI' || getComputedStyle(parent).display !== 'inline';
      return isOwn && parent.childNodes.length === 1;
    }
    function isReordered(node: Node): boolean {
      const text = node.nodeValue ?? '';
      let last = { left: 0, top: Number.NEGATIVE_INFINITY };
      for (let at = 0; at < text.length; at += 1) {
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const { left, top, width, height } = range.getBoundingClientRect();
        if (width === 0) continue;
        // The next line begins at the left again.
        if (left < last.left && top < last.top + height / 2) return true;
        last = { left, top };
      }
      return false;
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found: string[] = [];
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = node.nodeValue ?? '';
      range.selectNodeContents(node);
      if (range.getClientRects().length === 0) continue;
      const isTurning = /[\u202a-\u202e\u2066-\u2069]/.test(text);
      if (isTurning ? !isAlone(node) : isReordered(node)) found.push(text);
    }
    return found;
  });
