import { inPieces } from './large-strings.ts';

/*
 * Word and Outlook write bullets, arrows and smileys as letters in a symbol font. Readers without the font
 * see the letters, so the letters are replaced by Unicode symbols.
 */
/** Unicode symbols by the letter that shows them in a symbol font. */
export type Symbols = ReadonlyMap<string, string>;

const table = (pairs: string): Symbols => new Map(pairs.split(' ').map((pair) => [pair[0]!, pair.slice(1)]));

const wingdings = table(
  'J☺ K😐 L☹ à→ ß← á↑ â↓ è➔ Ø➢ ü✔ û✘ þ☑ ý☒ o□ q❑ r❒ ¨◻ ' +
    'n■ §▪ v❖ w◆ u◆ l● m❍ F☞ C👍 D👎 (☎ *✉ 6⌛ ð⇨ ï⇦ «★',
);
const symbol = table(
  ['·• ®→ ¬← Ø¬ Þ⇒ Ü⇐ £≤ ³≥ ¹≠ »≈ ±± ´× ¸÷ ¥∞', 'aα bβ gγ dδ eε lλ mμ pπ sσ WΩ DΔ SΣ Ö√ °°'].join(' '),
);

const fonts: readonly (readonly [RegExp, Symbols])[] = [
  [/^["']?wingdings["']?$/, wingdings],
  [/^["']?symbol["']?$/, symbol],
];

/** The symbols of Wingdings or Symbol, if it is the first of a CSS `font-family`; undefined otherwise. */
export function symbolsOf(fontFamily: string): Symbols | undefined {
  const first = fontFamily.split(',', 1)[0]!.trim().toLowerCase();
  return fonts.find(([name]) => name.test(first))?.[1];
}

/**
 * Replaces letters by their symbols, also in the private use area, where U+F0B7 stands for `·`. Letters
 * without a symbol stay.
 */
export const withSymbols = (text: string, symbols: Symbols): string =>
  inPieces(text, (piece) =>
    piece.replace(/[!-~\u00a1-\u00ff\uf021-\uf0ff]/g, (letter) => {
      const plain = letter >= '\uf000' ? String.fromCharCode(letter.charCodeAt(0) - 0xf000) : letter;
      return symbols.get(plain) ?? letter;
    }),
  );
