/**
 * What a file name must not contain: controls, line and paragraph separators, and what changes the direction
 * in which a reader sees it (`exe.` shown as `.exe`). Joiners stay: Persian, Hindi and emoji are written with
 * them.
 */
const misleading = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff\ufff9-\ufffb]/gu;

/**
 * Removes the characters that a file name must not contain: controls, line separators and those that change
 * the direction of text. Path separators stay.
 */
export const withoutMisleading = (text: string): string => text.replace(misleading, '');

/**
 * Whether a reader would see nothing: an empty text, or blanks, joiners and other characters without a shape.
 */
export const isInvisible = (text: string): boolean =>
  /^[\s\p{Cf}\p{Cc}\u115f\u1160\u3164\uffa0]*$/u.test(text);
