/**
 * Of the letters A to Z alone, the case does not matter. Unicode's folding makes one of what is two to
 * whoever gave the names out: the Kelvin sign and k, the long s and s.
 */
export const asciiFold = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
