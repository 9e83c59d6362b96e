/** Longest language tag, in characters. It has to fit in one header line. */
const maxLength = 100;

/**
 * Tags that were registered before RFC 4646, in lower case, and what replaces them. BCP 47 keeps them valid,
 * but `Intl` accepts only those that have the form of a newer tag. Four were never replaced.
 */
const registered = new Map(
  Object.entries({
    ...{ 'en-gb-oed': 'en-GB-oxendict', 'i-ami': 'ami', 'i-bnn': 'bnn', 'i-hak': 'hak', 'i-klingon': 'tlh' },
    ...{ 'i-lux': 'lb', 'i-navajo': 'nv', 'i-pwn': 'pwn', 'i-tao': 'tao', 'i-tay': 'tay', 'i-tsu': 'tsu' },
    ...{ 'sgn-be-fr': 'sfb', 'sgn-be-nl': 'vgt', 'sgn-ch-de': 'sgg', 'zh-min-nan': 'nan' },
    ...{ 'i-default': 'i-default', 'i-enochian': 'i-enochian', 'i-mingo': 'i-mingo', 'zh-min': 'zh-min' },
  }),
);
const privateUse = /^x(?:-[a-z0-9]{1,8})+$/;
/** A macrolanguage before one of its languages, which can be left out: `zh-yue` is `yue`. */
const extendedLanguage = /^(?:ar|kok|lv|ms|sgn|sw|uz|zh)-(?=[a-z]{3}(?:-|$))/;

/**
 * The canonical form of a BCP 47 tag: `DE-ch` becomes `de-CH`, and an obsolete tag the newer one (`i-lux`:
 * `lb`). Only its syntax is checked, not whether its parts are registered.
 * @returns undefined when it is not a tag, or is longer than 100 characters
 */
export function canonicalLanguage(tag: string): string | undefined {
  if (tag.length > maxLength || !/^[a-z0-9-]+$/i.test(tag)) return undefined;
  const lower = tag.toLowerCase();
  if (privateUse.test(lower)) return lower;
  const known = registered.get(lower);
  if (known === lower) return known;
  try {
    return Intl.getCanonicalLocales(known ?? lower.replace(extendedLanguage, ''))[0];
  } catch {
    return undefined;
  }
}
