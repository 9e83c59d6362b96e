/** What of an HTML body is not shown as it was written. */
export const bodyChangeCodes = [
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
export type BodyChangeCode = (typeof bodyChangeCodes)[number];

export interface BodyChange {
  readonly code: BodyChangeCode;
  /** For people. */
  readonly message: string;
}

const things = {
  HIDDEN_TEXT: ['Text that no reader would have seen was left out', 'hidden texts'],
  REMOTE_PICTURE: ['A picture is held back, as showing it would tell its server who reads this', 'pictures'],
  PICTURE: ['A picture was left out, as its address cannot be shown', 'pictures'],
  LINK: ['A link was made plain text, as its address is not of the web, an e-mail or a telephone', 'links'],
  SCRIPT: ['A script was left out', 'scripts'],
  FORM: ['A field of a form was left out', 'fields'],
  EMBEDDED: ['Embedded content was left out', 'contents'],
  PLACEMENT: ['Something was put back in its place, as it would have covered what is around it', 'places'],
  STYLE: ['A rule of a style sheet was passed over, as what it applies to is not understood', 'rules'],
} as const satisfies Record<BodyChangeCode, readonly [string, string]>;

/** Addresses that are named in one change at most, and characters of each. */
const maxNamed = 5;
const maxAddress = 200;

/** Gathers what is left out, one change for each kind. */
export class ChangeList {
  readonly #found = new Map<BodyChangeCode, { count: number; addresses: Set<string> }>();

  add(code: BodyChangeCode, address?: string): void {
    const entry = this.#found.get(code) ?? { count: 0, addresses: new Set() };
    this.#found.set(code, entry);
    entry.count += 1;
    if (address === undefined || entry.addresses.size >= maxNamed) return;
    entry.addresses.add(address.length > maxAddress ? `${address.slice(0, maxAddress)}…` : address);
  }

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
