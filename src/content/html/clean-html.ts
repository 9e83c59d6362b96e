import { parseHtml } from '../dom/parse-html.ts';
import { attributeOf, type ElementNode, isHtml, isSvg, type RootNode, UnreadableBody } from '../dom/tree.ts';
import { textIn, walk } from '../dom/walk.ts';
import { mediaApplies } from '../style/conditional-rules.ts';
import { parseSheets, type Sheet } from '../style/parse-stylesheet.ts';
import type { BodyChange } from './body-changes.ts';
import type { BodyOutput } from './body-output.ts';
import { Cleaner } from './cleaner.ts';
import type { Picture, RemotePictures } from './pictures.ts';

/** What cleaning found. The author of the body is warned of it. */
export interface BodyFindings {
  /** What was changed or removed. */
  readonly changes: readonly BodyChange[];
  /** Whether nothing is visible: neither text nor an image. */
  readonly blank: boolean;
  /** Whether the only visible content are `cid:` images, which need attached files. Not `blank` then. */
  readonly needsFiles: boolean;
}

/** A cleaned body. */
export interface ReadBody extends BodyFindings {
  /** Safe to show and to mail. A fragment for a page's body, without `html` and `head`. */
  readonly html: string;
  /** The body as plain text. If there is no text, the names of the images in brackets, one a line. */
  readonly text: string;
  /** URLs of its allowed links, each once. */
  readonly links: readonly string[];
  /** Its images, in order. */
  readonly pictures: readonly Picture[];
}

/** Steps that applying style sheets may take, and further steps per character. */
const freeSteps = 500_000;
const stepsPerCharacter = 2;
/** The output is cleaned again until it is stable, this often at most. */
const maxRounds = 4;

/**
 * Cleans HTML so that it is safe to show and to mail, and extracts its text. Removes scripts, style sheets
 * (after applying them as `style` attributes), forms, frames, SVG, event handlers and invisible content. Form
 * fields and MathML become text. Allows URLs with http(s), mailto, tel and (for images) cid, and `data:` URLs
 * of raster images. Synchronous; takes time linear in the length of the body.
 * @throws UnreadableBody when it would take longer, or when the output would be far longer than the body
 */
export function cleanHtml(body: string, remotePictures: RemotePictures): ReadBody {
  const output = cleanOnce(body, remotePictures, true);
  let html = output.markup.finish();
  let mayReparse = output.mayReparse || output.markup.flattened;
  for (let round = 1; mayReparse && round < maxRounds; round += 1) {
    const again = cleanOnce(html, remotePictures, true).markup.finish();
    mayReparse = again !== html;
    html = again;
  }
  const text = output.plain.finish();
  return {
    html,
    text: text.trim() === '' ? output.pictures.map(nameOfPicture).join('\n') : text,
    links: [...output.links],
    pictures: output.pictures,
    ...findingsOf(output),
  };
}

const findingsOf = ({ changes, hasVisibleContent, showsAttachedImage }: BodyOutput): BodyFindings => ({
  changes: changes.list(),
  blank: !hasVisibleContent && !showsAttachedImage,
  needsFiles: !hasVisibleContent && showsAttachedImage,
});

/**
 * Reports the same findings as `cleanHtml` with remote images held back, mostly without making the HTML and
 * the text, so that it takes less memory.
 * @throws UnreadableBody when `cleanHtml` does
 */
export function checkHtml(body: string): BodyFindings {
  const output = cleanOnce(body, 'HELD', false);
  // Only the HTML can tell whether cleaning it again succeeds.
  if (output.mayReparse || output.markup.flattened) cleanHtml(body, 'HELD');
  return findingsOf(output);
}

function cleanOnce(body: string, remotePictures: RemotePictures, kept: boolean): BodyOutput {
  // A byte order mark is not part of the text.
  const root = parseHtml(body.replace(/^\ufeff/, ''));
  let steps = freeSteps + stepsPerCharacter * body.length;
  const spend = (count: number) => {
    steps -= count;
    if (steps < 0) throw new UnreadableBody('Applying the style sheets of the HTML takes too much work');
  };
  const sheet = sheetOf(root);
  const cleaner = new Cleaner({ sheet, remotePictures, length: body.length, kept, spend });
  walk(root, cleaner);
  for (const text of sheet.unknown) cleaner.output.changes.add('STYLE', text);
  return cleaner.output;
}

function sheetOf(root: RootNode): Sheet {
  const texts: string[] = [];
  walk(root, {
    enter(element) {
      if (element.name !== 'style' || !isStyling(element)) return true;
      if (!/^(?:text\/css)?$/i.test(attributeOf(element, 'type') ?? '')) return false;
      if (mediaApplies(attributeOf(element, 'media') ?? ''))
        texts.push(textIn(element, Number.POSITIVE_INFINITY));
      return false;
    },
    leave() {},
    text() {},
  });
  return parseSheets(texts);
}

/** The `style` of SVG styles the whole body too, and that of MathML nothing. */
const isStyling = (element: ElementNode): boolean => isHtml(element) || isSvg(element);

/** The text for an image in a message that consists of images only. */
const nameOfPicture = ({ kind, address, alt }: Picture): string => {
  if (alt.trim() !== '') return `[${alt.trim()}]`;
  return kind === 'CID' ? `[${address.slice('cid:'.length)}]` : '[picture]';
};
