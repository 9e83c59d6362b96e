import { hasVisibleText } from '../dom/has-visible-text.ts';
import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { parseLinkTarget, trimUrl } from '../dom/urls.ts';
import { shownStyle } from '../style/allowed-style.ts';
import type { Declared } from '../style/cascade.ts';
import { isReadable, type TextStyle } from '../style/computed-style.ts';
import { shownAttributes } from './allowed-attributes.ts';
import type { BodyOutput } from './body-output.ts';
import { changeCodes, type ElementRule } from './element-rules.ts';
import { outward } from './output-tags.ts';
import { isPixel, pictureUrlOf, type RemotePictures } from './pictures.ts';
import { shownByField } from './text-layout.ts';

/** An element whose content is not visited: a void one, one that is dropped, or a form field. */
export interface LeafElement {
  readonly element: ElementNode;
  readonly rule: ElementRule;
  readonly declared: Declared;
  /** The computed style of the text around it. */
  readonly around: TextStyle;
}

/** The `alt` of an image that is part of the text: an emoji, or its short code as Slack writes it. */
const standsForText = /^(?:\p{RGI_Emoji}+|:[a-z0-9_+\-]+:)$/iv;

const ruler = '-'.repeat(20);

/**
 * Writes an element without its content, to the HTML and the text: `br`, `hr`, an image, or what a form field
 * shows. Embedded content becomes a link to its address, if that is allowed. Other dropped elements write
 * nothing. Changes to images are added to `output.changes`, and images and links to its lists.
 */
export function writeLeafElement(
  output: BodyOutput,
  empty: LeafElement,
  remotePictures: RemotePictures,
): void {
  const { element, rule } = empty;
  const { name } = element;
  if (name === 'br') {
    output.markup.empty('br', []);
    output.plain.lineBreak();
  } else if (name === 'hr') {
    output.plain.block(1);
    output.plain.write(ruler, 'collapse');
    output.plain.block(1);
    output.markup.empty('hr', shownAttributes(element, 'hr'));
  } else if (name === 'img' || (name === 'input' && /^image$/i.test(attributeOf(element, 'type') ?? '')))
    writePicture(output, empty, remotePictures);
  else if (name === 'input' || name === 'select') writeField(output, empty);
  else if (rule.empty === true) output.markup.empty(rule.as!, shownAttributes(element, rule.as!));
  else if (changeCodes.get(name) === 'EMBEDDED') writeEmbedded(output, empty);
}

/** What a field shows stands in a box of its own. */
function writeField(output: BodyOutput, { element, around }: LeafElement): void {
  const shown = shownByField(element);
  if (shown === '') return;
  output.separate(around);
  output.writeReplacement(shown, around);
}

/** Replaces embedded content, or a part of an image that is a link, by a link. */
function writeEmbedded(output: BodyOutput, { element, around }: LeafElement): void {
  const address = parseLinkTarget(
    ['src', 'data', 'href'].map((name) => attributeOf(element, name)).find((one) => one !== undefined) ?? '',
  );
  if (address.kind !== 'allowed' || output.inLink || !isReadable(around)) return;
  output.separate(around);
  output.markup.open('a', outward(address.url));
  output.writeReplacement(address.url, around);
  output.markup.close();
  output.writeReplacement(' ', around);
  output.links.add(address.url);
}

function writePicture(
  output: BodyOutput,
  { element, declared, around }: LeafElement,
  remotePictures: RemotePictures,
): void {
  const address = pictureUrlOf(element);
  const alt = (attributeOf(element, 'alt') ?? '').replaceAll('\r', '\n');
  if (!around.visible) return;
  if (address.kind === 'none') {
    const source = attributeOf(element, 'src');
    if (source !== undefined) output.changes.add('PICTURE', trimUrl(source.slice(0, 60).toWellFormed()));
    if (alt.trim() !== '') output.writeReplacement(alt, around);
    return;
  }
  const remote = address.kind === 'REMOTE';
  const pixel = remote && isPixel(element, declared);
  if (remote && remotePictures !== 'SHOWN') output.changes.add('REMOTE_PICTURE');
  if (pixel && remotePictures !== 'SHOWN') return;
  if (address.kind === 'CID' && !hasVisibleText(alt)) output.showsAttachedImage = true;
  else output.hasVisibleContent ||= !pixel;
  output.picture({
    kind: address.kind,
    address: address.kind === 'DATA' ? address.url.slice(0, 40) : address.url,
    alt,
  });
  if (standsForText.test(alt.trim())) output.plain.write(alt.trim(), 'collapse');
  if (remote && remotePictures === 'OMITTED') {
    if (alt.trim() !== '') output.inReadableColour(around, () => output.markup.text(`[${alt.trim()}]`));
    return;
  }
  const { style } = shownStyle(declared);
  output.markup.empty('img', [
    [remote && remotePictures === 'HELD' ? 'data-src' : 'src', address.url],
    ...shownAttributes(element, 'img'),
    ...(style === '' ? [] : [['style', style] as const]),
  ]);
}
