import { type Address, saysAddress } from '../dom/links.ts';
import { MarkupWriter } from '../dom/markup.ts';
import { isVisible } from '../dom/visible-characters.ts';
import { isReadable, type Look } from '../style/look.ts';
import { ChangeList } from './changes.ts';
import type { Picture } from './pictures.ts';
import { TextWriter } from './text.ts';

/** What is shown of a body, as far as it is written: as HTML and as text at once. */
export class Page {
  readonly markup: MarkupWriter;
  readonly plain = new TextWriter();
  readonly changes = new ChangeList();
  readonly links = new Set<string>();
  readonly pictures: Picture[] = [];
  /** Whether there is anything to read. */
  seen = false;
  /** Whether a file of the message is named as a picture. */
  names = false;
  /** What is shown stands in other elements than it was parsed in, and may be parsed otherwise. */
  loose = false;
  /** Whether a link is being written, and what its first picture says. */
  #inLink = false;
  #alt: string | undefined;

  constructor(length: number) {
    this.markup = new MarkupWriter(length);
  }

  get inLink(): boolean {
    return this.#inLink;
  }

  /** Something that stands for what cannot be shown. */
  say(text: string, look: Look): void {
    if (text === '' || !isReadable(look)) return;
    this.seen ||= isVisible(text);
    this.markup.text(text);
    this.plain.write(text, 'collapse');
  }

  picture(picture: Picture): void {
    this.pictures.push(picture);
    if (this.#inLink && (this.#alt ?? '') === '') this.#alt = picture.alt.trim();
  }

  beginLink(): void {
    this.plain.capture();
    this.#inLink = true;
    this.#alt = undefined;
  }

  /** In text a link is followed by its address; in HTML too, where it cannot be followed. */
  endLink(address: Exclude<Address, { kind: 'none' }>): void {
    const written = this.plain.captured();
    this.#inLink = false;
    if (address.kind === 'other') this.changes.add('LINK', address.url);
    if (written === '' && this.#alt === undefined) return;
    const text = written === '' ? this.#alt! : written;
    if (written === '') this.plain.write(text, 'collapse');
    if (saysAddress(text, address.url)) return;
    const follows = `${text === '' ? '' : ' '}<${address.url}>`;
    if (address.kind === 'other') this.markup.text(follows);
    const gap = this.plain.closeUp();
    this.plain.write(follows, 'collapse');
    this.plain.block(gap);
  }
}
