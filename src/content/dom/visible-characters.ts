/*
 * Characters that show nothing: blanks and line ends, controls, marks that only steer (zero-width ones, soft
 * hyphens, joiners, tags, variation selectors), fillers (U+115F, U+3164, U+FFA0), the empty Braille cell and
 * the place of an object.
 */
const something = /[^\s\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{1d159}]/u;

/** Whether a text has a character that can be seen. */
export const isVisible = (text: string): boolean => something.test(text);
