import { describe, expect, test } from 'vitest';
import { addressKey, Buckets, createThrottle } from '../../src/auth/throttle.ts';

const second = 1000;

function failUntilRefused(attempt: () => ((at: number) => void) | number, most = 10_000): number {
  for (let failures = 0; failures < most; failures++) if (typeof attempt() === 'number') return failures;
  return most;
}

describe('failed sign-ins', () => {
  test('are bounded for one login from one address, and allowed again after the time that was told', () => {
    const throttle = createThrottle();
    expect(failUntilRefused(() => throttle.attempt(['jane'], '192.0.2.1', 0))).toBe(10);
    const wait = throttle.attempt(['jane'], '192.0.2.1', 0) as number;
    expect(wait).toBe(6);
    expect(throttle.attempt(['jane'], '192.0.2.1', (wait - 1) * second)).toBeTypeOf('number');
    expect(throttle.attempt(['jane'], '192.0.2.1', wait * second)).toBeTypeOf('function');
  });

  test('attempts from all addresses leave a clean address three guesses, and one more per 5 minutes', () => {
    const throttle = createThrottle();
    const failFrom = (address: string, at = 0) =>
      failUntilRefused(() => throttle.attempt(['jane'], address, at));
    const before = Array.from({ length: 24 }, (_, n) => failFrom(`10.0.0.${n}`));
    // All addresses together have fifty; after that each has three of its own.
    expect(before).toEqual([10, 10, 10, 10, 10, ...Array(19).fill(3)]);
    expect(failFrom('10.9.9.9')).toBe(3);
    expect(throttle.attempt(['jane'], '10.9.9.9', 0)).toBeGreaterThan(0);
    // By now the guesses of all have fallen due again, twice.
    expect(failFrom('10.9.9.9', 31 * second)).toBe(2);
    expect(throttle.attempt(['joe'], '10.0.0.1', 0)).toBeTypeOf('function');
  });

  test('are allowed again after the time that was told when the clock has been set back by a year', () => {
    const throttle = createThrottle();
    const year = 365 * 86_400 * second;
    failUntilRefused(() => throttle.attempt(['jane'], '192.0.2.1', year));
    expect(throttle.attempt(['jane'], '192.0.2.1', 0)).toBe(6);
    expect(throttle.attempt(['jane'], '192.0.2.1', 6 * second)).toBeTypeOf('function');
    let user = 0;
    failUntilRefused(() => throttle.attempt([`user${user++}`], '192.0.2.2', year));
    expect(throttle.wait('192.0.2.2', 0)).toBe(1);
    expect(throttle.wait('192.0.2.2', second)).toBe(0);
  });

  test('are bounded for one address over all logins', () => {
    const throttle = createThrottle();
    let user = 0;
    expect(failUntilRefused(() => throttle.attempt([`user${user++}`], '192.0.2.1', 0))).toBe(200);
    expect(throttle.attempt(['jane'], '192.0.2.2', 0)).toBeTypeOf('function');
  });

  test('are not fewer because a good one took its time', () => {
    const throttle = createThrottle();
    let user = 0;
    const good = throttle.attempt(['jane'], '192.0.2.1', 0) as (at: number) => void;
    const attempt = () => throttle.attempt([`user${user++}`], '192.0.2.1', 10 * second);
    expect(failUntilRefused(attempt)).toBe(200);
    good(10 * second);
    expect(failUntilRefused(attempt)).toBe(1);
    expect(throttle.wait('192.0.2.1', 10 * second)).toBe(1);
  });

  test('are not what good ones count as', () => {
    const throttle = createThrottle();
    for (let i = 0; i < 1000; i++) {
      const attempt = throttle.attempt(['jane'], '192.0.2.1', 0);
      expect(attempt).toBeTypeOf('function');
      (attempt as (at: number) => void)(0);
    }
  });

  test('of one customer’s IPv6 addresses count together', () => {
    const throttle = createThrottle();
    let host = 0;
    expect(
      failUntilRefused(() => throttle.attempt(['jane'], `2001:db8:1:2::${(host++).toString(16)}`, 0)),
    ).toBe(10);
    expect(throttle.attempt(['jane'], '2001:db8:1:3::1', 0)).toBeTypeOf('function');
  });
});

test.for([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:FFFF:192.0.2.1', '192.0.2.1'],
  ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
  ['1:2:3::5:6:192.0.2.1', '1:2:3:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['2001:DB8::1', '2001:db8:0:0::/64'],
  ['2001:0db8:0001:0002:a:b:c:d', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
] as const)('the address %s counts as %s', ([address, key]) => {
  expect(addressKey(address)).toBe(key);
});

test('buckets stay bounded whatever number of strangers come', () => {
  const buckets = new Buckets({ burst: 1, perSecond: 1 });
  for (let i = 0; i < 50_000; i++) buckets.take(`k${i}`, 0);
  expect(buckets.size).toBeLessThanOrEqual(20_000);
  expect(buckets.wait('k49999', 0)).toBe(1);
});
