import { type Symbols, symbolsOf, withSymbols } from '../dom/symbol-fonts.ts';
import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { textIn } from '../dom/walk.ts';
import type { Declared } from '../style/cascade.ts';

/*
 * Word writes list items as paragraphs with a level (`mso-list:l0 level2 lfo1`) and with their marker as text
 * in a symbol font, marked `mso-list:Ignore`.
 */

/** The level of a paragraph that is a list item from Microsoft Word, from 1; undefined for other elements. */
export function wordListLevel(declared: Declared): number | undefined {
  const level = /\blevel(\d)\b/.exec(declared.get('mso-list') ?? '')?.[1];
  return level === undefined ? undefined : Number(level);
}

/** Whether an element is the marker of a list item from Microsoft Word, written as text. */
export const isWordMarker = (declared: Declared): boolean => declared.get('mso-list') === 'ignore';

/**
 * The text of a marker from Microsoft Word, with letters of a symbol font replaced: `•`, `2.` or `b)`.
 * @param element one of which {@link isWordMarker} is true
 * @param around symbols of the surrounding font
 */
export function wordMarker(element: ElementNode, around: Symbols | undefined): string {
  const fonts: string[] = [];
  for (let inner: ElementNode | undefined = element; inner !== undefined; inner = firstElement(inner))
    fonts.push(
      ...(
        /font(?:-family)?\s*:\s*[^;]*?(symbol|wingdings)/i.exec(attributeOf(inner, 'style') ?? '') ?? []
      ).slice(1),
    );
  const written = textIn(element, 200)
    .replace(/[\s\u00a0]+/g, ' ')
    .trim();
  const symbols = fonts[0] === undefined ? around : symbolsOf(fonts[0]);
  if (symbols !== undefined) return withSymbols(written, symbols);
  return /^[·\uf0b7]$/.test(written) ? '•' : written;
}

function firstElement(parent: ElementNode): ElementNode | undefined {
  for (let child = parent.first; child !== undefined; child = child.next)
    if (child.kind === 'element') return child;
  return undefined;
}
