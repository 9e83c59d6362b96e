/*
 * Characters without ink: white space, controls, format characters (zero-width characters, soft hyphens,
 * joiners, tags, variation selectors), fillers (U+115F, U+3164, U+FFA0), the blank Braille cell and the
 * object replacement character.
 */
const something = /[^\s\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{1d159}]/u;

/** Whether a text has at least one character with ink; false for an empty text. */
export const hasVisibleText = (text: string): boolean => something.test(text);
