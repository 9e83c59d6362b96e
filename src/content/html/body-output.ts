import { hasVisibleText } from '../dom/has-visible-text.ts';
import { MarkupWriter } from '../dom/markup-writer.ts';
import { type LinkTarget, textShowsUrl } from '../dom/urls.ts';
import { isReadable, readableColour, type TextStyle } from '../style/computed-style.ts';
import { ChangeList } from './body-changes.ts';
import type { Picture } from './pictures.ts';
import { TextWriter } from './text-writer.ts';

/** Collects the output of a body, as HTML and as text. `Cleaner` fills it while it visits the tree. */
export class BodyOutput {
  /** The HTML. */
  readonly markup: MarkupWriter;
  /** The text. */
  readonly plain: TextWriter;
  readonly changes = new ChangeList();
  /** URLs of the allowed links, in the order of their first occurrence. */
  readonly links = new Set<string>();
  /**
   * The images with an allowed address, in order, with repetitions; without tracking pixels that are left
   * out.
   */
  readonly pictures: Picture[] = [];
  /** Whether there is visible content that needs no attached file. */
  hasVisibleContent = false;
  /** Whether a `cid:` image without a visible alternative text is shown. */
  showsAttachedImage = false;
  /** Whether a parser may parse the output into another tree, because elements were replaced. */
  mayReparse = false;
  /** Whether a link is open, and the alternative text of its first image that has one. */
  #inLink = false;
  #alt: string | undefined;

  /**
   * @param length characters of the input
   * @param kept whether the output is kept; otherwise it is only measured
   */
  constructor(length: number, kept: boolean) {
    this.markup = new MarkupWriter(length, kept);
    this.plain = new TextWriter(kept);
  }

  /** Whether a link is open. */
  get inLink(): boolean {
    return this.#inLink;
  }

  /** Writes a text in place of content that cannot be shown, unless it would be unreadable in this style. */
  writeReplacement(text: string, style: TextStyle): void {
    if (text === '' || !isReadable(style)) return;
    this.hasVisibleContent ||= hasVisibleText(text);
    this.inReadableColour(style, () => this.markup.text(text));
    this.plain.write(text, 'collapse');
  }

  /** Writes a space if text is right before, so that what follows is a word of its own. */
  separate(style: TextStyle): void {
    if (this.plain.last !== '') this.writeReplacement(' ', style);
  }

  /** Calls `write`, which writes text of this style to `markup`, in a `readableColour` if it needs one. */
  inReadableColour(style: TextStyle, write: () => void): void {
    const colour = readableColour(style);
    if (colour === undefined) return write();
    this.markup.open('span', [['style', `color:${colour}`]]);
    write();
    this.markup.close();
  }

  /** Adds an image to the list. In a link, its alternative text may become the link's text. */
  picture(picture: Picture): void {
    this.pictures.push(picture);
    if (this.#inLink && (this.#alt ?? '') === '') this.#alt = picture.alt.trim();
  }

  /** Begins a link. Writes no tag. Links are not nested. */
  beginLink(): void {
    this.plain.capture();
    this.#inLink = true;
    this.#alt = undefined;
  }

  /**
   * Ends a link, and writes its URL after it in angle brackets: in the text, and in the HTML if it is not
   * allowed as a link, which is counted as a change. Writes no tag, and no URL if the link is empty or its
   * text shows the URL already.
   */
  endLink(address: Exclude<LinkTarget, { kind: 'none' }>): void {
    const written = this.plain.captured();
    this.#inLink = false;
    if (address.kind === 'other') this.changes.add('LINK', address.url);
    if (written === '' && this.#alt === undefined) return;
    const text = written === '' ? this.#alt! : written;
    if (written === '') this.plain.write(text, 'collapse');
    if (textShowsUrl(text, address.url)) return;
    const follows = `${text === '' ? '' : ' '}<${address.url}>`;
    if (address.kind === 'other') this.markup.text(follows);
    const gap = this.plain.closeUp();
    this.plain.write(follows, 'collapse');
    this.plain.block(gap);
  }
}
