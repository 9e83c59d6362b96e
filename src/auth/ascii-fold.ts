/**
 * Turns A to Z into lower case, and leaves every other character as it is. Unicode's case folding would merge
 * characters that issuers of names treat as different: the Kelvin sign and k, the long s and s.
 */
export const asciiFold = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
