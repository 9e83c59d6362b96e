import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatInstant, parseInstant } from '../../src/platform/instants.ts';

test.each([
  ['2026-11-22T12:00:00Z', '2026-11-22T12:00:00.000Z'],
  ['2026-11-22t12:00:00.123456789z', '2026-11-22T12:00:00.123Z'],
  ['2026-11-22T12:00:00.123456789012Z', '2026-11-22T12:00:00.123Z'],
  ['2026-11-22T12:00:00.5+01:30', '2026-11-22T10:30:00.500Z'],
  ['2026-11-22T00:10:00-23:59', '2026-11-23T00:09:00.000Z'],
  ['2026-11-22T12:00:00-00:00', '2026-11-22T12:00:00.000Z'],
  ['2028-02-29T23:59:59Z', '2028-02-29T23:59:59.000Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
])('%s is the instant %s', (text, instant) => {
  expect(parseInstant(text)?.toISOString()).toBe(instant);
});

test.each([
  [
    'a day that its month does not have',
    ['2027-02-30T10:00:00Z', '2026-04-31T10:00:00Z', '2027-02-29T10:00:00Z', '1900-02-29T00:00:00Z'],
  ],
  [
    'no month, no day',
    ['2026-13-01T00:00:00Z', '2026-00-10T00:00:00Z', '2026-01-00T00:00:00Z', '2026-01-32T00:00:00Z'],
  ],
  [
    'an hour, minute or second past the end',
    ['2026-01-01T24:00:00Z', '2026-01-01T25:00:00Z', '2026-01-01T10:60:00Z', '2026-01-01T10:00:61Z'],
  ],
  ['a leap second', ['2016-12-31T23:59:60Z', '2016-12-31T18:59:60-05:00']],
  [
    'an offset out of range',
    ['2026-01-01T10:00:00+24:00', '2026-01-01T10:00:00-10:60', '2026-01-01T10:00:00+99:99'],
  ],
  ['no offset', ['2026-01-01T10:00:00', '2026-01-01']],
  [
    'another notation',
    [
      '2026-01-01 10:00:00Z',
      '20260101T100000Z',
      '2026-W01-1T00:00:00Z',
      '+002026-01-01T00:00:00Z',
      '2026-01-01T10:00Z',
      '2026-01-01T10:00:00,5Z',
      '2026-01-01T10:00:00+0100',
      ' 2026-01-01T10:00:00Z',
      '2026-01-01T10:00:00Z\n',
      '',
      '٢٠٢٦-01-01T10:00:00Z',
    ],
  ],
])('%s is refused', (_, texts) => {
  for (const text of texts) expect([text, parseInstant(text)]).toEqual([text, undefined]);
});

test('every instant of ten thousand years comes back as it was written', () => {
  const dates = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(dates, (date) => {
      expect(parseInstant(date.toISOString())?.getTime()).toBe(date.getTime());
    }),
  );
});

const days = 24 * 60 * 60 * 1000;

test('an instant is formatted as Date does it, whatever was formatted before', () => {
  const odd = [0, -1, -days, days - 1, days, -62_198_755_200_000, 253_402_300_799_999, 253_402_300_800_000];
  const random = Array.from({ length: 2000 }, () => Math.floor((Math.random() - 0.3) * 3e12));
  const sameDay = Array.from({ length: 2000 }, () => Math.floor(Math.random() * days));
  for (const ms of [...odd, ...random, ...sameDay]) {
    const date = new Date(ms);
    expect(formatInstant(date)).toBe(date.toISOString());
  }
});

test('a date that is none is refused as Date does it', () => {
  formatInstant(new Date(0));
  expect(() => formatInstant(new Date(Number.NaN))).toThrow(RangeError);
});
