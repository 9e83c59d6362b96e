import { expect, test } from 'vitest';
import { whyNotEndpoint } from '../../src/webhooks/endpoint-url.ts';
import { isPublicAddress } from '../../src/webhooks/is-public-address.ts';
import { sendRequest } from '../../src/webhooks/send-request.ts';
import { startReceiver } from './receiver.ts';

const within = { allowsPrivate: false };

test.each([
  ...['127.0.0.1', '127.1.2.3', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...[
    '169.254.169.254',
    '168.63.129.16',
    '100.64.0.1',
    '100.100.100.200',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
  ],
  ...['255.255.255.255', '240.0.0.1', '203.0.113.7', '::', '::1', 'fe80::1', 'fc00::1', 'fd00:ec2::254'],
  ...['ff02::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1', '64:ff9b::808:808', '::7f00:1'],
  ...['2002:7f00:1::', '2001:db8::1', '2001:0:1::', '100::1', 'fec0::1', '5f00::1', 'localhost', ''],
])('%s is no address that a webhook goes to', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(['8.8.8.8', '172.32.0.1', '172.15.255.255', '100.128.0.1', '11.0.0.1', '2606:4700::1111'])(
  '%s is one',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  ...['https://127.0.0.1/', 'https://2130706433/', 'https://0x7f.1/', 'https://017700000001/'],
  ...[
    'https://127.0.0.1./',
    'https://①②⑦.0.0.1/',
    'https://127。0。0。1/',
    'https://%31%32%37.0.0.1/',
    'https://0/',
  ],
  ...['https:\\\\10.0.0.1/', 'https://[::]/', 'https://[64:ff9b::7f00:1]/', 'https://[2002:7f00:1::]/'],
  ...['https://[::1]/', 'https://[::ffff:7f00:1]/', 'https://169.254.169.254/latest/meta-data/'],
  ...['http://example.com/', 'ftp://example.com/', 'https://a:b@example.com/', 'https://a@example.com/'],
  ...['https://example.com/#x', 'nowhere', `https://example.com/${'a'.repeat(2000)}`],
])('%s cannot be an endpoint', (url) => {
  expect(whyNotEndpoint(url, within)).toBeDefined();
});

test.each(['https://example.com/', 'https://example.com:8443/a?b=c', 'https://8.8.8.8/'])(
  '%s can be one',
  (url) => {
    expect(whyNotEndpoint(url, within)).toBeUndefined();
  },
);

test('a name that leads to a private address is not connected to', async () => {
  await using receiver = await startReceiver();
  const port = new URL(receiver.url).port;
  const request = { headers: {}, body: '{}' };
  for (const host of ['localhost', '127.0.0.1', '[::ffff:127.0.0.1]']) {
    const { status, error } = await sendRequest(`https://${host}:${port}/`, request, within);
    expect({ status, error }).toEqual({
      status: undefined,
      error: expect.stringContaining('private address'),
    });
  }
  expect(receiver.connections).toBe(0);
});

test('a long answer is not read to its end, and its status counts', async () => {
  await using receiver = await startReceiver();
  let isCut = false;
  receiver.respond = (res) => {
    res.writeHead(200);
    res.once('close', () => {
      isCut = !res.writableFinished;
    });
    const more = () => {
      while (!res.destroyed && res.write('x'.repeat(64 * 1024)));
    };
    res.on('drain', more);
    more();
  };
  const reply = await sendRequest(receiver.url, { headers: {}, body: '{}' }, { allowsPrivate: true });
  expect(reply).toEqual({ status: 200, retryAfter: undefined, error: undefined });
  await expect.poll(() => isCut).toBe(true);
});
