/** Kinds of changes to an HTML body. */
const bodyChangeCodes = [
  'HIDDEN_TEXT',
  'REMOTE_PICTURE',
  'PICTURE',
  'LINK',
  'SCRIPT',
  'FORM',
  'EMBEDDED',
  'PLACEMENT',
  'STYLE',
] as const;
/**
 * A kind of change to an HTML body: `HIDDEN_TEXT`, `REMOTE_PICTURE` (one that is held back or omitted),
 * `PICTURE` (one whose address is not allowed), `LINK`, `SCRIPT`, `FORM`, `EMBEDDED`, `PLACEMENT`
 * (positioning that could cover other content) or `STYLE` (a selector that is not supported).
 */
export type BodyChangeCode = (typeof bodyChangeCodes)[number];

/** All changes of one kind to a body. */
export interface BodyChange {
  readonly code: BodyChangeCode;
  /**
   * In English, with the number of changes (if there are several) and up to five different URLs, each cut to
   * 200 characters.
   */
  readonly message: string;
}

const things = {
  HIDDEN_TEXT: ['Invisible text was removed', 'hidden texts'],
  REMOTE_PICTURE: [
    'A remote image is held back, as loading it would reveal the reader to its server',
    'pictures',
  ],
  PICTURE: ['An image was removed, as its address is not allowed', 'pictures'],
  LINK: ['A link became plain text, as its address is not a web, e-mail or telephone address', 'links'],
  SCRIPT: ['A script was removed', 'scripts'],
  FORM: ['A form field was removed', 'fields'],
  EMBEDDED: ['Embedded content was removed', 'contents'],
  PLACEMENT: ['Positioning was removed, as it could cover other content', 'places'],
  STYLE: ['A style rule was ignored, as its selector is not supported', 'rules'],
} as const satisfies Record<BodyChangeCode, readonly [string, string]>;

/** Maximum number of addresses in one message, and characters of each. */
const maxNamed = 5;
const maxAddress = 200;

/** Collects the changes to a body and counts them by kind. */
export class ChangeList {
  readonly #found = new Map<BodyChangeCode, { count: number; addresses: Set<string> }>();

  /**
   * Counts a change.
   * @param address the URL that it is about, for the message
   */
  add(code: BodyChangeCode, address?: string): void {
    const entry = this.#found.get(code) ?? { count: 0, addresses: new Set() };
    this.#found.set(code, entry);
    entry.count += 1;
    if (address === undefined || entry.addresses.size >= maxNamed) return;
    entry.addresses.add(
      address.length > maxAddress ? `${address.slice(0, maxAddress).toWellFormed()}…` : address,
    );
  }

  /**
   * One entry for each kind that occurred, in the order of {@link BodyChangeCode}; empty if nothing was
   * changed.
   */
  list(): BodyChange[] {
    return bodyChangeCodes.flatMap((code) => {
      const entry = this.#found.get(code);
      if (entry === undefined) return [];
      const count = entry.count > 1 ? ` (${entry.count} ${things[code][1]})` : '';
      const named = entry.addresses.size === 0 ? '' : `: ${[...entry.addresses].join(', ')}`;
      return [{ code, message: `${things[code][0]}${count}${named}` }];
    });
  }
}
