import { parseHtml } from '../dom/parse.ts';
import { attributeOf, isHtml, type RootNode, UnreadableBody } from '../dom/tree.ts';
import { textIn, walk } from '../dom/walk.ts';
import { mediaApplies } from '../style/media.ts';
import { parseSheets, type Sheet } from '../style/stylesheet.ts';
import type { BodyChange } from './changes.ts';
import type { Picture, RemotePictures } from './pictures.ts';
import { Cleaner } from './visitor.ts';

/** What a body says and how it is shown. */
export interface ReadBody {
  /** Safe to show, and to mail. */
  readonly html: string;
  readonly text: string;
  /** The addresses that can be followed. */
  readonly links: readonly string[];
  readonly pictures: readonly Picture[];
  /** What is not shown as it was written. */
  readonly changes: readonly BodyChange[];
  /** Whether there is nothing to read. */
  readonly blank: boolean;
  /** Whether all that there is to see are pictures by `cid:`, which show nothing unless files answer them. */
  readonly needsFiles: boolean;
}

/** Steps that style sheets may cost a body, and steps more for each of its characters. */
const freeSteps = 500_000;
const stepsPerCharacter = 2;
/** What was shown is cleaned again until it stays as it is, this often at most. */
const maxRounds = 4;

/**
 * HTML as it may be shown and mailed: no script, style sheet, form, frame, SVG or MathML, no handler, no
 * address but http(s), mailto, tel and (for pictures) cid, and nothing that a reader would not have seen.
 * Takes time linear in the body's length.
 * @throws UnreadableBody when it would not
 */
export function cleanHtml(body: string, remotePictures: RemotePictures): ReadBody {
  const page = cleanOnce(body, remotePictures);
  let html = page.markup.finish();
  let loose = page.loose || page.markup.flattened;
  for (let round = 1; loose && round < maxRounds; round += 1) {
    const again = cleanOnce(html, remotePictures).markup.finish();
    loose = again !== html;
    html = again;
  }
  const text = page.plain.finish();
  return {
    html,
    text: text.trim() === '' ? page.pictures.map(nameOfPicture).join('\n') : text,
    links: [...page.links],
    pictures: page.pictures,
    changes: page.changes.list(),
    blank: !page.seen && !page.names,
    needsFiles: !page.seen && page.names,
  };
}

function cleanOnce(body: string, remotePictures: RemotePictures) {
  // What tells the order of bytes where a file begins is no letter.
  const root = parseHtml(body.replace(/^\ufeff/, ''));
  let steps = freeSteps + stepsPerCharacter * body.length;
  const spend = (count: number) => {
    steps -= count;
    if (steps < 0) throw new UnreadableBody('The style sheets of the HTML ask for too much work');
  };
  const sheet = sheetOf(root);
  const cleaner = new Cleaner({ sheet, remotePictures, length: body.length, spend });
  walk(root, cleaner);
  for (const text of sheet.unknown) cleaner.page.changes.add('STYLE', text);
  return cleaner.page;
}

function sheetOf(root: RootNode): Sheet {
  const texts: string[] = [];
  walk(root, {
    enter(element) {
      if (element.name !== 'style' || !isHtml(element)) return true;
      if (mediaApplies(attributeOf(element, 'media') ?? ''))
        texts.push(textIn(element, Number.POSITIVE_INFINITY));
      return false;
    },
    leave() {},
    text() {},
  });
  return parseSheets(texts);
}

/** A message that is nothing but pictures says so in its text. */
const nameOfPicture = ({ kind, address, alt }: Picture): string => {
  if (alt.trim() !== '') return `[${alt.trim()}]`;
  return kind === 'CID' ? `[${address.slice('cid:'.length)}]` : '[picture]';
};
