import { hasVisibleText } from '../dom/has-visible-text.ts';
import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { parseLinkTarget, trimUrl } from '../dom/urls.ts';
import { shownStyle } from '../style/allowed-style.ts';
import type { Declared } from '../style/cascade.ts';
import { isReadable, type Look } from '../style/text-look.ts';
import { shownAttributes } from './allowed-attributes.ts';
import type { BodyOutput } from './body-output.ts';
import { type ElementRule, leftOut } from './element-rules.ts';
import { outward } from './output-tags.ts';
import { isPixel, pictureUrlOf, type RemotePictures } from './pictures.ts';
import { shownByField } from './text-layout.ts';

/** An element whose content is not visited. */
export interface VoidElement {
  readonly element: ElementNode;
  readonly rule: ElementRule;
  readonly declared: Declared;
  /** How text looks around it. */
  readonly look: Look;
}

/** The `alt` of an image that is part of the text: an emoji, or its short code as Slack writes it. */
const standsForText = /^(?:\p{RGI_Emoji}+|:[a-z0-9_+\-]+:)$/iv;

const ruler = '-'.repeat(20);

/** Writes an element without its content. */
export function writeVoidElement(page: BodyOutput, empty: VoidElement, remotePictures: RemotePictures): void {
  const { element, rule, look } = empty;
  const { name } = element;
  if (name === 'br') {
    page.markup.empty('br', []);
    page.plain.lineBreak();
  } else if (name === 'hr') {
    page.plain.block(1);
    page.plain.write(ruler, 'collapse');
    page.plain.block(1);
    page.markup.empty('hr', shownAttributes(element, 'hr'));
  } else if (name === 'img' || (name === 'input' && /^image$/i.test(attributeOf(element, 'type') ?? '')))
    writePicture(page, empty, remotePictures);
  else if (name === 'input' || name === 'select') page.say(shownByField(element), look);
  else if (rule.empty === true) page.markup.empty(rule.as!, shownAttributes(element, rule.as!));
  else if (leftOut[name] === 'EMBEDDED') writeEmbedded(page, empty);
}

/** Replaces embedded content by a link. */
function writeEmbedded(page: BodyOutput, { element, look }: VoidElement): void {
  const address = parseLinkTarget(attributeOf(element, 'src') ?? attributeOf(element, 'data') ?? '');
  if (address.kind !== 'allowed' || page.inLink || !isReadable(look)) return;
  page.markup.open('a', outward(address.url));
  page.say(address.url, look);
  page.markup.close();
  page.links.add(address.url);
}

function writePicture(
  page: BodyOutput,
  { element, declared, look }: VoidElement,
  remotePictures: RemotePictures,
): void {
  const address = pictureUrlOf(element);
  const alt = (attributeOf(element, 'alt') ?? '').replaceAll('\r', '\n');
  if (!look.visible) return;
  if (address.kind === 'none') {
    const source = attributeOf(element, 'src');
    if (source !== undefined) page.changes.add('PICTURE', trimUrl(source.slice(0, 60)));
    if (alt.trim() !== '') page.say(alt, look);
    return;
  }
  const remote = address.kind === 'REMOTE';
  const pixel = remote && isPixel(element, declared);
  if (remote && remotePictures !== 'SHOWN') page.changes.add('REMOTE_PICTURE');
  if (pixel && remotePictures !== 'SHOWN') return;
  if (address.kind === 'CID' && !hasVisibleText(alt)) page.names = true;
  else page.seen ||= !pixel;
  page.picture({
    kind: address.kind,
    address: address.kind === 'DATA' ? address.url.slice(0, 40) : address.url,
    alt,
  });
  if (standsForText.test(alt.trim())) page.plain.write(alt.trim(), 'collapse');
  if (remote && remotePictures === 'OMITTED') {
    if (alt.trim() !== '') page.markup.text(`[${alt.trim()}]`);
    return;
  }
  const { style } = shownStyle(declared);
  page.markup.empty('img', [
    [remote && remotePictures === 'HELD' ? 'data-src' : 'src', address.url],
    ...shownAttributes(element, 'img'),
    ...(style === '' ? [] : [['style', style] as const]),
  ]);
}
