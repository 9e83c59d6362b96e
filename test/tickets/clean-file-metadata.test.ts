import { describe, expect, test } from 'vitest';
import { fileNameKey } from '../../src/mail/compose/normalize-file-name.ts';
import { cleanContentType, cleanFileName } from '../../src/tickets/clean-file-metadata.ts';

describe('a name', () => {
  test.each([
    ['گزارش\u200cها.pdf', 'گزارش\u200cها.pdf'],
    ['क्\u200dष.txt', 'क्\u200dष.txt'],
    ['👨\u200d👩\u200d👧.png', '👨\u200d👩\u200d👧.png'],
    [
      '\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}.png',
      '\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}.png',
    ],
    ['\u202egpj.exe', 'gpj.exe'],
    ['a\u2066b\u2069\u200f\u061cc.txt', 'abc.txt'],
    ['a\0b\x1f\x7f\u0085c.txt', 'abc.txt'],
    ['a\u2028b\u2029c\ufeff.txt', 'abc.txt'],
    ['\ud800lone.txt', '\ufffdlone.txt'],
    ['\u200d\u200c', 'attachment-1'],
    ['\u3164', 'attachment-1'],
    ['\u202e', 'attachment-1'],
    ['../../x', 'x'],
    ['C:\\x', 'x'],
    ['CON', '_CON'],
    ['', 'attachment-1'],
    ['u\u0308.txt', 'ü.txt'],
    ['. . x . ', 'x'],
    ['.\u00a0.profile.\u00a0.', 'profile'],
    ['. nul.txt', '_nul.txt'],
  ])('%j is kept as %j', (name, kept) => expect(cleanFileName(name, 0)).toBe(kept));

  test('of 4,000 characters keeps its extension, and no half of a character', () => {
    const kept = cleanFileName(`${'👨\u200d👩'.repeat(1000)}.tar.gz`, 0);
    expect(kept).toMatch(/^(👨\u200d👩)+~[0-9a-f]{8}\.gz$/u);
    expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(200);
    expect(kept.isWellFormed()).toBe(true);
  });

  test.each([
    ['a', '.pdf'],
    ['ž', '.docx'],
    ['😀', '.png'],
    ['🇨🇿', '.jpeg'],
    ['e\u0301\u0323', '.code-workspace'],
    ['한', '.문서'],
    ['a b. ', ''],
  ])('of many %j is cut between two of them, wherever that is, and keeps %j', (unit, extension) => {
    const units = unit.normalize('NFC').repeat(250);
    const [first] = new Intl.Segmenter().segment(units);
    for (let shift = 0; shift < 12; shift += 1) {
      const kept = cleanFileName('x'.repeat(shift) + unit.repeat(250) + extension, 0);
      const octets = Buffer.byteLength(kept);
      expect(octets).toBeLessThanOrEqual(200);
      expect(octets).toBeGreaterThan(200 - Buffer.byteLength(unit));
      expect(kept.isWellFormed()).toBe(true);
      expect(kept.endsWith(extension)).toBe(true);
      const stem = kept.slice(shift, kept.length - extension.length).replace(/~[0-9a-f]{8}$/, '');
      expect(units.startsWith(stem)).toBe(true);
      expect(stem.length % first!.segment.length).toBe(0);
      expect(cleanFileName(kept, 0)).toBe(kept);
    }
  });

  test('of up to 200 octets stays as it is', () => {
    for (const name of [`${'ž'.repeat(98)}.pdf`, `${'a'.repeat(196)}.pdf`, `${'a'.repeat(190)}.dokument`])
      expect(cleanFileName(name, 0)).toBe(name.slice(0, 200));
  });

  test('that differs from another behind the cut, or in the middle of thousands, stays different', () => {
    const long = (at: number, what: string, size: number) =>
      `${'a'.repeat(at)}${what}${'b'.repeat(size - at)}.pdf`;
    for (const [at, size] of [
      [199, 200],
      [250, 300],
      [4500, 9000],
    ] as const) {
      const names = ['1', '2', 'ž', ' '].map((what) => cleanFileName(long(at, what, size), 0));
      expect(new Set(names).size).toBe(4);
    }
    expect(cleanFileName(long(250, '1', 300), 0)).toBe(cleanFileName(long(250, '1', 300), 3));
  });

  test('of which a character lies across the place where a very long one is cut first is not broken', () => {
    const joiners = '\u200d';
    for (const before of [3999, 4000])
      for (const after of [94, 95, 96]) {
        const name = `${'\u202e'.repeat(before)}😀${joiners.repeat(2000)}😀${'\u202e'.repeat(after - 5)}.png`;
        expect(cleanFileName(name, 0)).not.toContain('\ufffd');
      }
  });

  test('of a million accents on one letter costs no more than other names', () => {
    const name = `a${'\u0315\u0300'.repeat(500_000)}.txt`;
    const before = process.cpuUsage();
    const kept = cleanFileName(name, 0);
    // Microseconds. To sort a fifth of these accents by Unicode's rules took a minute.
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
    expect(kept).toMatch(/^a[\u0315\u0300]+~[0-9a-f]{8}\.txt$/);
    expect(fileNameKey(name)).toBe(fileNameKey(kept));
  });

  test('of thousands of blanks between two letters costs no more than other names', () => {
    const before = process.cpuUsage();
    for (let index = 0; index < 300; index += 1)
      expect(cleanFileName(`a${' .'.repeat(2000)}b`, index)).toMatch(/^a[ .]+~[0-9a-f]{8}\.b$/);
    // Microseconds. It took six seconds when the end was looked for from each blank.
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  });
});

describe('a type', () => {
  test.each([
    ['text/plain; charset=iso-8859-1', 'text/plain; charset=iso-8859-1'],
    ['TEXT/Calendar;method=REQUEST ; CHARSET="UTF-8"', 'text/calendar; method=REQUEST; charset=UTF-8'],
    ['text/plain; format=flowed; delsp=yes', 'text/plain; format=flowed; delsp=yes'],
    ['a/b; title="a \\"b\\"; c"', 'a/b; title="a \\"b\\"; c"'],
    ['text/plain; charset=utf-8; charset=x', 'text/plain; charset=utf-8'],
    ['text/plain; charset=ut f8', 'text/plain'],
    ['text/plain; charset="utf-8', 'text/plain'],
    ['text/plain; charset="a\r\nBcc: x@y"', 'text/plain'],
    ['text/plain; ; =x; y; charset=utf-8;', 'text/plain; charset=utf-8'],
    ['text/plain; "; charset=utf-8', 'text/plain; charset=utf-8'],
    ['text/plain; charset=žluť', 'text/plain'],
    // Names are the attachment's own; a boundary belongs to a structure that it has not.
    ['application/pdf; name="evil.exe"; name*=utf-8\'\'x; filename=y; boundary=z', 'application/pdf'],
    [`text/plain; x=${'y'.repeat(300)}; charset=utf-8`, 'text/plain; charset=utf-8'],
    ['text/plain charset=utf-8', 'application/octet-stream'],
    ['text', 'application/octet-stream'],
    ['', 'application/octet-stream'],
    [
      'application/vnd.openxmlformats-officedocument.spreadsheetml.template.macroEnabled.main+xml',
      'application/vnd.openxmlformats-officedocument.spreadsheetml.template.macroenabled.main+xml',
    ],
  ])('%j is kept as %j', (type, kept) => expect(cleanContentType(type)).toBe(kept));

  test('what is kept is kept again', () => {
    const kept = cleanContentType('a/b; title="a \\"b\\"; c"; charset=utf-8');
    expect(cleanContentType(kept)).toBe(kept);
  });

  test('of a megabyte of quotation marks costs no more than its beginning', () => {
    const costs = Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      for (const unit of ['; "', ';"\\', ';a="b']) cleanContentType(`text/plain${unit.repeat(300_000)}`);
      return process.cpuUsage(before).user;
    });
    // Microseconds; the least of three, because garbage of other tests is collected meanwhile.
    expect(Math.min(...costs)).toBeLessThan(200_000);
  });
});
