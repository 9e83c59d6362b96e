/**
 * The characters with which a name may begin (XML 1.0, without colons), as the inside of a class `[…]` of a
 * regular expression.
 */
export const nameStart =
  'A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF' +
  '\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD';
/** Characters that may follow in a name. */
const nameRest = `${nameStart}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040`;
/** The source of a regular expression for a whole name without colons. */
export const ncName = `[${nameStart}][${nameRest}]*`;

const first = new RegExp(`[${nameStart}]`);
const later = new RegExp(`[${nameRest}]`);

/**
 * `XmlConvert.EncodeLocalName`: makes any text an element's name, with each character that a name cannot have
 * as `_x0020_`.
 */
export function encodeLocalName(text: string): string {
  let name = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    const looksEncoded = char === '_' && /^_x[0-9A-Fa-f]{4}_/.test(text.slice(i, i + 7));
    if ((i === 0 ? first : later).test(char) && !looksEncoded) name += char;
    else name += `_x${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`;
  }
  return name;
}
