import { escapeHtml } from '../platform/escape-html.ts';

/** HTML that is inserted as it is. The tag `html` makes it; the constructor does not escape its text. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

type HtmlPart = Html | string | number | false | undefined | readonly HtmlPart[];

/**
 * A template tag. It escapes every value except `Html`. False and undefined are omitted, and lists are joined
 * without a separator. Write quotes around the value of an attribute.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(strings.reduce((text, string, index) => text + rendered(parts[index - 1]) + string));
}

function rendered(part: HtmlPart): string {
  if (part instanceof Html) return part.text;
  if (part === undefined || part === false) return '';
  return typeof part === 'object' ? part.map(rendered).join('') : escapeHtml(String(part));
}
