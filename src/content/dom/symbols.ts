/*
 * Word and Outlook write bullets, arrows and smileys as letters in a font of symbols. Whoever lacks the font
 * reads the letters.
 */
export type Symbols = ReadonlyMap<string, string>;

const table = (pairs: string): Symbols => new Map(pairs.split(' ').map((pair) => [pair[0]!, pair.slice(1)]));

const wingdings = table(
  'J☺ K😐 L☹ à→ ß← á↑ â↓ è➔ Ø➢ ü✔ û✘ þ☑ ý☒ o□ q❑ r❒ ¨◻ n■ §▪ v❖ w◆ u◆ l● m❍ F☞ C👍 D👎 (☎ *✉ 6⌛ ð⇨ ï⇦ «★',
);
const symbol = table('·• ®→ ¬← Ø¬ Þ⇒ Ü⇐ £≤ ³≥ ¹≠ »≈ ±± ´× ¸÷ ¥∞ aα bβ gγ dδ eε lλ mμ pπ sσ WΩ DΔ SΣ Ö√ °°');

const fonts: readonly (readonly [RegExp, Symbols])[] = [
  [/^["']?wingdings["']?$/, wingdings],
  [/^["']?symbol["']?$/, symbol],
];

/** The symbols of a font by the letters that stand for them; undefined for a font of letters. */
export function symbolsOf(fontFamily: string): Symbols | undefined {
  const first = fontFamily.split(',', 1)[0]!.trim().toLowerCase();
  return fonts.find(([name]) => name.test(first))?.[1];
}

/** Word also writes them in the private area that such fonts are mapped to: U+F0B7 for `·`. */
export const withSymbols = (text: string, symbols: Symbols): string =>
  text.replace(/[!-~\u00a1-\u00ff\uf021-\uf0ff]/g, (letter) => {
    const plain = letter >= '\uf000' ? String.fromCharCode(letter.charCodeAt(0) - 0xf000) : letter;
    return symbols.get(plain) ?? letter;
  });
