import { hasVisibleText } from '../dom/has-visible-text.ts';
import { inPieces, linesOf } from '../dom/large-strings.ts';
import { withSymbols } from '../dom/symbol-fonts.ts';
import { attributeOf, type ElementNode, isHtml, isSvg, type TextNode } from '../dom/tree.ts';
import { type LinkTarget, parseLinkTarget } from '../dom/urls.ts';
import { holdsLink, textIn, type Visitor } from '../dom/walk.ts';
import { type Declared, declaredOf } from '../style/cascade.ts';
import { initialStyle, isReadable, type TextStyle, textStyleOf } from '../style/computed-style.ts';
import { isHidden, isHiddenInOutlook } from '../style/is-hidden.ts';
import type { Sheet } from '../style/parse-stylesheet.ts';
import { BodyOutput } from './body-output.ts';
import { changeCodes, type ElementRule, elementRules, inlineRule, needsSecondPass } from './element-rules.ts';
import { ListCounter, type ListItem } from './list-counter.ts';
import { isMathIndent, mathSigns } from './math-signs.ts';
import { isWordMarker, wordListLevel, wordMarker } from './microsoft-word-lists.ts';
import { tagsOf } from './output-tags.ts';
import { loadsPicture, type RemotePictures } from './pictures.ts';
import { gapsOf, type Lines, raisedMark } from './text-layout.ts';
import { writeLeafElement } from './write-leaf-element.ts';

/** How a tree is cleaned. */
export interface CleanerOptions {
  /** The rules of the body's style sheets. */
  readonly sheet: Sheet;
  readonly remotePictures: RemotePictures;
  /** Characters of the body. */
  readonly length: number;
  /** Whether HTML and text are kept, or only measured. */
  readonly kept: boolean;
  /** Charges steps of applying the rules to the budget. It throws when the budget is spent. */
  readonly spend: (steps: number) => void;
}

/** An open element, and what to do at its end. */
interface OpenElement {
  readonly style: TextStyle;
  readonly tags: number;
  readonly after: Lines;
  readonly indents: boolean;
  readonly list: boolean;
  readonly cell: boolean;
  /** Whether the element itself preserves line breaks. */
  readonly pre: boolean;
  readonly link: Exclude<LinkTarget, { kind: 'none' }> | undefined;
  /** Text that follows the content. */
  readonly closing: string;
}

const transparent: Omit<OpenElement, 'style' | 'pre'> = {
  ...{ tags: 0, after: 0, indents: false, list: false, cell: false, link: undefined, closing: '' },
};
const lists = new Set(['ul', 'ol', 'dir', 'menu']);

/**
 * Writes the safe content of a tree: `walk` one tree with it, and then read `output`. Its methods throw
 * UnreadableBody when the output becomes too long, and what `spend` throws.
 */
export class Cleaner implements Visitor {
  /** The HTML, the text and the findings. */
  readonly output: BodyOutput;
  readonly #options: CleanerOptions;
  readonly #open: OpenElement[] = [];
  readonly #lists = new ListCounter();
  #cells = 0;
  /** The outermost open element that is a button for all but Outlook. */
  #button: ElementNode | undefined;

  constructor(options: CleanerOptions) {
    this.#options = options;
    this.output = new BodyOutput(options.length, options.kept);
  }

  get #style(): TextStyle {
    return this.#open.at(-1)?.style ?? initialStyle;
  }

  get #pre(): boolean {
    return this.#open.at(-1)?.pre ?? false;
  }

  text(node: TextNode): void {
    if (isMathIndent(node)) return;
    const { text } = node;
    const { output } = this;
    const style = this.#style;
    const letters = inPieces(text, (piece) => piece.replace(/\r/g, () => '\n'));
    const written = style.symbols === undefined ? letters : withSymbols(letters, style.symbols);
    const visible = hasVisibleText(written);
    if (!isReadable(style)) {
      if (visible) output.changes.add('HIDDEN_TEXT');
      if (visible || style.fontSize < 2) return;
    }
    output.hasVisibleContent ||= visible;
    output.plain.write(written, style.space);
    if (visible) output.inReadableColour(style, () => this.#writeLines(written, style));
    else this.#writeLines(written, style);
  }

  #writeLines(text: string, { space }: TextStyle): void {
    const { markup } = this.output;
    if (space === 'collapse' || this.#pre) return markup.text(text);
    let first = true;
    for (const line of linesOf(text)) {
      if (!first) markup.empty('br', []);
      markup.text(line);
      first = false;
    }
  }

  enter(element: ElementNode): boolean {
    const { output } = this;
    if (isSvg(element)) {
      output.changes.add('EMBEDDED');
      return false;
    }
    const declared = declaredOf(element, this.#options.sheet, this.#options.spend);
    if (this.#isHidden(element, declared)) {
      if (hasVisibleText(textIn(element, 10_000))) output.changes.add('HIDDEN_TEXT');
      return false;
    }
    if (!isHtml(element)) return this.#enterMath(element, declared);
    const rule = elementRules.get(element.name) ?? inlineRule;
    const change = changeCodes.get(element.name);
    if (change !== undefined && !/^(?:hidden|image)$/i.test(attributeOf(element, 'type') ?? ''))
      output.changes.add(change);
    if (loadsPicture(declared) || attributeOf(element, 'background') !== undefined)
      output.changes.add('REMOTE_PICTURE');
    if (rule.drop === true || rule.empty === true || element.name === 'input' || element.name === 'select') {
      writeLeafElement(
        output,
        { element, rule, declared, around: this.#style },
        this.#options.remotePictures,
      );
      return false;
    }
    if (isWordMarker(declared)) {
      output.writeReplacement(`${wordMarker(element, this.#style.symbols)}\u00a0 `, this.#style);
      return false;
    }
    if (isHiddenInOutlook(declared)) this.#button ??= element;
    this.#begin(element, rule, declared);
    return true;
  }

  #isHidden = (element: ElementNode, declared: Declared): boolean =>
    isHidden(element, declared, this.#style.boxes) ||
    (element.name === 'mphantom' && !isHtml(element)) ||
    (isHiddenInOutlook(declared) && !this.#isButton(element));

  /**
   * Whether an element that is hidden in Outlook is a button, which the readers of other programs see: a
   * link, what surrounds a link, or a part of either. The parts are not searched again.
   */
  #isButton = (element: ElementNode): boolean =>
    this.#button !== undefined || this.output.inLink || holdsLink(element);

  /** Shows MathML as text. */
  #enterMath(element: ElementNode, declared: Declared): boolean {
    if (/^(?:annotation|annotation-xml|style|script)$/.test(element.name)) return false;
    const { output } = this;
    output.mayReparse = true;
    const { before, after } = mathSigns(element, output.plain.last);
    output.writeReplacement(before, this.#style);
    const style = textStyleOf(element, declared, this.#style);
    this.#open.push({ ...transparent, style, pre: this.#pre, closing: after });
    return true;
  }

  #begin(element: ElementNode, rule: ElementRule, declared: Declared): void {
    const { output } = this;
    const { name } = element;
    const around = this.#style;
    if (needsSecondPass.has(name)) output.mayReparse = true;
    const gaps = gapsOf(rule, declared, around, name === 'table' && this.#cells > 0);
    const list = lists.has(name);
    output.plain.block(this.#gap(gaps.before, list));
    const cell = name === 'td' || name === 'th' || declared.get('display') === 'table-cell';
    if (cell && gaps.before === 0) output.plain.cell();
    const item = name === 'li' ? this.#lists.item(element, declared) : undefined;
    const indents = this.#indent(element, declared, item);
    if (list) this.#lists.enter(element, declared);
    const link = name === 'a' ? this.#beginLink(element) : undefined;
    const mark = raisedMark(element, declared, output.plain.last);
    if (mark !== '') output.plain.write(mark, 'collapse');
    const url = link?.kind === 'allowed' ? link.url : undefined;
    if (url !== undefined) output.links.add(url);
    const tags = tagsOf(element, rule, declared, { url, around, item });
    if (tags.displaced) output.changes.add('PLACEMENT');
    if (tags.name !== undefined) output.markup.open(tags.name, tags.attributes);
    if (tags.struck) output.markup.open('s', []);
    const style = textStyleOf(element, declared, around);
    if (item !== undefined && item.tick !== '')
      output.inReadableColour(style, () => output.markup.text(item.tick));
    if (name === 'q') output.plain.write('"', 'collapse');
    if (name === 'rt') output.writeReplacement('(', around);
    if (cell) this.#cells += 1;
    this.#open.push({
      style,
      tags: (tags.name === undefined ? 0 : 1) + (tags.struck ? 1 : 0),
      after: this.#gap(gaps.after, list),
      pre: rule.as === 'pre' || this.#pre,
      ...{ indents, list, cell, link, closing: '' },
    });
  }

  /** A nested list follows the text of its item without an empty line. */
  #gap = (lines: Lines, list: boolean): Lines => (list && lines === 2 && this.#lists.depth > 0 ? 1 : lines);

  #indent(element: ElementNode, declared: Declared, item: ListItem | undefined): boolean {
    const { plain } = this.output;
    const level = wordListLevel(declared);
    if (element.name === 'blockquote') plain.indent('> ', '> ');
    else if (element.name === 'dd') plain.indent('   ', '   ');
    else if (item !== undefined && !/^inline/.test(declared.get('display') ?? '')) {
      const { marker, level: deeper } = item;
      const first = marker === '' ? '' : `${' '.repeat(3 * deeper + 1)}${marker} `;
      plain.indent(first, ' '.repeat(first.length));
    } else if (level !== undefined) plain.indent(' '.repeat(3 * level - 2), ' '.repeat(3 * level));
    else return false;
    return true;
  }

  #beginLink(element: ElementNode): OpenElement['link'] {
    const href = attributeOf(element, 'href');
    if (href === undefined || this.output.inLink) return undefined;
    const address = parseLinkTarget(href);
    if (address.kind === 'none') {
      if (address.program) this.output.changes.add('LINK');
      return undefined;
    }
    this.output.beginLink();
    return address;
  }

  leave(element: ElementNode): void {
    const { output } = this;
    const { name } = element;
    if (element === this.#button) this.#button = undefined;
    const { tags, after, indents, list, cell, link, style, closing } = this.#open.pop()!;
    if (closing !== '') output.writeReplacement(closing, this.#style);
    if (name === 'q') output.plain.write('"', 'collapse');
    if (name === 'rt') output.writeReplacement(')', style);
    if (link !== undefined) output.endLink(link);
    for (let count = 0; count < tags; count += 1) output.markup.close();
    if (cell) this.#cells -= 1;
    if (list) this.#lists.leave();
    if (indents) output.plain.outdent();
    output.plain.block(after);
  }
}
