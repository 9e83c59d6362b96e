import { describe, expect, test } from 'vitest';
import { addressKey, envelopeAddress, ownKeyPattern, parseAddress } from '../../../src/mail/address.ts';

describe('one entry is one addr-spec (case 26)', () => {
  test.each([
    'jane.doe@domain.com',
    "o'brien+tag@mail.example",
    '"jane doe"@domain.com',
    '"a,b"@domain.com',
    '"a@b"@domain.com',
    '"a\\"b"@domain.com',
    'root@localhost',
    'jan@žluťoučký.cz',
    'user@xn--bcher-kva.example',
    'user@例え.jp',
    'a@b-c.example',
    `${'a'.repeat(64)}@domain.com`,
  ])('accepts %s', (text) => {
    expect(parseAddress(text)).toMatchObject({ ok: true, address: text, needsSmtpUtf8: false });
  });

  test.each(['žaneta@domain.cz', 'δοκιμή@παράδειγμα.δοκιμή', '"žan eta"@domain.cz'])(
    'accepts %s and says that it needs SMTPUTF8',
    (text) => expect(parseAddress(text)).toMatchObject({ ok: true, address: text, needsSmtpUtf8: true }),
  );

  test.each([
    '',
    '   ',
    'jane',
    '@domain.com',
    'jane@',
    'a@x.com,b@y.com',
    'a@x.com, b@y.com',
    'a@x.com;b@y.com',
    'Jane <jane@x.com>',
    '<jane@x.com>',
    'friends: a@x.com, b@y.com;',
    'jane(comment)@x.com',
    'jane@x.com (comment)',
    'jane@x.com\r\nBcc: b@y.com',
    'jane\n@x.com',
    'jane@x.com\0',
    'jane@x\u2028.com',
    'ja\u202ene@x.com',
    'ja\u200bne@x.com',
    'jane doe@x.com',
    'jane..doe@x.com',
    '.jane@x.com',
    'jane.@x.com',
    '"jane@x.com',
    '"ja"ne@x.com',
    '"a<b>"@x.com',
    'jane@x..com',
    'jane@-x.com',
    'jane@x-.com',
    'jane@x_y.com',
    'jane@x.com.',
    'jane@[192.0.2.1]',
    'jane@192.0.2.1',
    'jane@1.2.3',
    'jane@0x7f.1',
    'jane@a%2eb.com',
    'jane@a。b.com',
    `jane@${'x'.repeat(64)}.com`,
    // Without an end, when each letter could be read in two ways.
    `jane@${'x'.repeat(62)}_.com`,
    `${'a'.repeat(65)}@domain.com`,
    `${'ž'.repeat(33)}@domain.com`,
    `jane@${'abcdefgh.'.repeat(30)}com`,
  ])('refuses %j', (text) => {
    const parsed = parseAddress(text);
    expect(parsed.ok).toBe(false);
    expect(!parsed.ok && parsed.message.length).toBeGreaterThan(10);
  });

  test('blanks around an address are no part of it', () => {
    expect(parseAddress(' \tjane@x.com ')).toMatchObject({ ok: true, address: 'jane@x.com' });
  });
});

test('SMTP is given the domain in ASCII and the local part as written', () => {
  expect(envelopeAddress('Jan@Žluťoučký.CZ')).toBe('Jan@xn--luouk-uva4it5a4g.cz');
  expect(envelopeAddress('"a@b"@Example.COM')).toBe('"a@b"@example.com');
});

test('one mailbox has one key, however its address is written', () => {
  expect(addressKey('jan@ŽLUŤOUČKÝ.cz')).toBe(addressKey('jan@xn--luouk-uva4it5a4g.CZ'));
  expect(addressKey('"jane"@x.com')).toBe(addressKey('jane@X.com'));
  expect(addressKey('"ja\\ne"@x.com')).toBe(addressKey('jane@x.com'));
  expect(addressKey('"jane doe"@x.com')).not.toBe(addressKey('jane@x.com'));
  expect(addressKey('e\u0301va@x.com')).toBe(addressKey('\u00e9va@x.com'));
  expect(addressKey('Jane@x.com')).not.toBe(addressKey('jane@x.com'));
});

test.each(['jane@x.com', 'Jane.Doe+tag@xn--lu-yta1h.cz', "o'neil_#!$%&*/=?^`{|}~-@mail.example.co.uk"])(
  '%s is its own key',
  (address) => {
    expect(new RegExp(ownKeyPattern).test(address)).toBe(true);
    expect(addressKey(address)).toBe(address);
  },
);

test.each(['jane@X.com', '"jane"@x.com', 'jane@žluť.cz', 'e\u0301va@x.com'])(
  '%s needs a key of its own',
  (address) => {
    expect(new RegExp(ownKeyPattern).test(address)).toBe(false);
  },
);
