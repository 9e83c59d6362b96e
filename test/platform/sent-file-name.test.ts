import { expect, test } from 'vitest';
import { sentFileName } from '../../src/platform/http/sent-file-name.ts';

test.each([
  [undefined, undefined, undefined],
  [undefined, 'a.txt', 'a.txt'],
  [undefined, '', ''],
  ["utf-8'cs'%C5%BElu%C5%A5.pdf", 'zlut.pdf', 'žluť.pdf'],
  ["UTF8''%C5%BE", undefined, 'ž'],
  ["utf-8''ž", undefined, 'ž'],
  ["iso-8859-1''na%EFve.txt", 'x', 'naïve.txt'],
  ["windows-1250''%F8e%E8.txt", 'rec.txt', 'řeč.txt'],
  // What is malformed is passed over.
  ['', 'a.txt', 'a.txt'],
  ["utf-8''%ZZ", 'a.txt', 'a.txt'],
  ["utf-8''caf%E9", 'cafe', 'cafe'],
  ["nothing''a", 'a.txt', 'a.txt'],
  ["utf-8''%ZZ", undefined, undefined],
  // Encoded words, whoever sends them.
  [undefined, '=?utf-8?B?cMWZw61sb2hhLnR4dA==?=', 'příloha.txt'],
  [undefined, '=?iso-8859-2*cs?q?p=F8=ED?= =?utf-8?b?bG9oYQ==?=', 'příloha'],
  [undefined, '=?utf-8?B?cMWZ?=.txt', '=?utf-8?B?cMWZ?=.txt'],
  [undefined, '=?utf-8?B?6Q==?=', '=?utf-8?B?6Q==?='],
  [undefined, '=?nothing?B?YQ==?=', '=?nothing?B?YQ==?='],
])('filename*: %j, filename: %j is %j', (extended, plain, name) => {
  expect(sentFileName(extended, plain)).toBe(name);
});
