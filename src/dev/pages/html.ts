import { escapeHtml } from '../../platform/escape-html.ts';

/** HTML that is safe to put into a page as it is: made by `html`, which escapes what it is given. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

type Part = Html | string | number | false | undefined | readonly Part[];

/**
 * Escapes every value but `Html`; false and undefined are nothing, lists are joined. Attributes' values stand
 * in double quotes.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, index) => text + rendered(parts[index - 1]) + string));
}

function rendered(part: Part): string {
  if (part instanceof Html) return part.text;
  if (part === undefined || part === false) return '';
  return typeof part === 'object' ? part.map(rendered).join('') : escapeHtml(String(part));
}
