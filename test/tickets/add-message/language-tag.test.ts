import { expect, test } from 'vitest';
import { canonicalLanguage } from '../../../src/tickets/add-message/language-tag.ts';

test.each([
  ['DE-ch', 'de-CH'],
  ['zh-hant-tw', 'zh-Hant-TW'],
  ['en-a-bbb', 'en-a-bbb'],
  ['de-DE-u-co-phonebk', 'de-DE-u-co-phonebk'],
  ['I-Klingon', 'tlh'],
  ['en-GB-oed', 'en-GB-oxendict'],
  ['zh-min-nan', 'nan'],
  ['sgn-BE-FR', 'sfb'],
  ['art-lojban', 'jbo'],
  ['i-default', 'i-default'],
  ['zh-yue-HK', 'yue-HK'],
  ['zh-cmn-Hans', 'zh-Hans'],
  ['X-Private-1', 'x-private-1'],
  ['en-x-private', 'en-x-private'],
])('%s is the language %s', (tag, canonical) => {
  expect(canonicalLanguage(tag)).toBe(canonical);
});

test.each([
  ...['', ' ', 'a', 'en_US', 'en-', '-en', 'en-a', 'en-x', 'x', 'x-', 'x-123456789', 'i-unknown', 'root'],
  ...['abcdefghi', 'de-1996-1996', 'en-a-bbb-a-ccc', 'en\r\nX: y', 'İt', `x-${'abcdefgh-'.repeat(11)}a`],
  ...['__proto__', 'constructor'],
])('%j is no language', (tag) => {
  expect(canonicalLanguage(tag)).toBeUndefined();
});
