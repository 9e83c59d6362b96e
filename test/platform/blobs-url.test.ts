import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';
import { describePlace, readBlobsUrl } from '../../src/settings/blobs-url.ts';

const s3 = (rest: object) => ({
  ...{ kind: 's3', bucket: 'desk', prefix: '', endpoint: undefined, region: 'eu-west-1' },
  ...{ pathStyle: false, presign: false },
  ...rest,
});

test.each<[string, object]>([
  ['file:///var/lib/blobs', { kind: 'file', directory: '/var/lib/blobs' }],
  ['file:/var/lib/blobs', { kind: 'file', directory: '/var/lib/blobs' }],
  ['FILE:///var/lib/blobs', { kind: 'file', directory: '/var/lib/blobs' }],
  ['file:///srv/help%20desk/50%25', { kind: 'file', directory: '/srv/help desk/50%' }],
  ['s3://desk?region=eu-west-1', s3({})],
  ['s3://desk/?region=eu-west-1', s3({})],
  ['s3://desk/a/b%20c/?region=eu-west-1', s3({ prefix: 'a/b c/' })],
  [
    's3://desk/a?region=eu-west-1&presign=1&pathStyle=1',
    s3({ prefix: 'a/', presign: true, pathStyle: true }),
  ],
  [
    's3://desk?endpoint=http://minio:9000',
    s3({ endpoint: 'http://minio:9000', region: 'us-east-1', pathStyle: true }),
  ],
  [
    's3://desk?endpoint=https://s3.example.org&region=eu-west-1&pathStyle=0',
    s3({ endpoint: 'https://s3.example.org' }),
  ],
])('%s names a place', (text, place) => {
  expect(readBlobsUrl(text)).toEqual(place);
});

test.each([
  ['file:relative', 'file:///absolute/path'],
  ['file:./relative', 'file:///absolute/path'],
  ['file://host/blobs', 'without a host'],
  ['file:////blobs?x', 'write %3F'],
  ['file:///', 'file:///absolute/path'],
  ['file:///blobs/..', 'must name a folder below /'],
  ['file:///a%2Fb', 'encoded'],
  ['file:///a%00b', 'must not contain %00'],
  ['s3://desk/a%00b?region=eu-west-1', 'must not contain %00'],
  ['s3://desk/a?region=eu-west-1#b', 'write it as %23'],
  ['/var/lib/blobs', 'file:///absolute/path or s3://'],
  ['https://s3.example.org/desk', 'file:///absolute/path or s3://'],
  ['s3:desk', 'file:///absolute/path or s3://'],
  ['s3://desk', 'region is required'],
  ['s3://desk?region=', 'region is required'],
  ['s3:///prefix?region=eu-west-1', 'bucket'],
  ['s3://Desk?region=eu-west-1', 'bucket'],
  ['s3://desk:9000?region=eu-west-1', 'bucket'],
  ['s3://key:secret@desk?region=eu-west-1', 'AWS_ACCESS_KEY_ID'],
  ['s3://desk?region=eu-west-1&Region=x', 'no parameter Region'],
  ['s3://desk?region=eu-west-1&region=x', 'region twice'],
  ['s3://desk?endpoint=minio:9000', 'endpoint must be a URL'],
  ['s3://desk?region=eu-west-1&pathStyle=yes', 'pathStyle must be 0 or 1'],
  ['s3://desk/%zz?region=eu-west-1', 'malformed'],
])('%s is a mistake, told by the setting’s name and without its secrets', (text, why) => {
  const read = () => readConfig({ BLOBS_URL: text });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/^BLOBS_URL: /);
  expect(read).toThrow(why);
  expect(read).not.toThrow('secret');
});

test('a place is described without its parameters', () => {
  expect(describePlace(readBlobsUrl('s3://desk/a?endpoint=http://minio:9000'))).toBe('s3://desk/a/');
  expect(describePlace(readBlobsUrl('file:///var/blobs'))).toBe('/var/blobs');
});
