/**
 * Every line end: CRLF, CR, LF, the vertical tab (a line break within a paragraph, as Word and PowerPoint
 * copy it), the form feed, NEL, and the line and paragraph separators. Unicode breaks a line at each (UAX
 * #14).
 */
export const lineEnds = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;
