/** .NET's `char.IsWhiteSpace` for a UTF-16 code unit: like `\s`, but with U+0085 and without U+FEFF. */
export function isWhiteSpace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  if (code < 0x1680) return code === 0x85 || code === 0xa0;
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

const letterOrDigit = /[\p{L}\p{Nd}]/u;

/** .NET's `char.IsLetterOrDigit` for a UTF-16 code unit. False for surrogates. */
export function isLetterOrDigit(code: number): boolean {
  if (code < 0x80) {
    return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  }
  return letterOrDigit.test(String.fromCharCode(code));
}
