import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, chromium, type LaunchOptions } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const installed = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * A real Chromium without a window. On Linux x64 it comes from npm with the libraries and fonts that it
 * needs, so that nothing has to be installed by hand; elsewhere, or with CHROMIUM_PATH, the machine's own is
 * used.
 * @throws when there is none, saying what to do.
 */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(await findBrowser()),
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--no-first-run'],
    ],
  });
}

async function findBrowser(): Promise<LaunchOptions> {
  const given = process.env.CHROMIUM_PATH;
  if (given !== undefined && given !== '') return { executablePath: given };
  if (process.platform === 'linux' && process.arch === 'x64') return unpacked();
  const found = installed.find(existsSync);
  if (found !== undefined) return { executablePath: found };
  throw new Error(
    `No browser for ${process.platform} ${process.arch}: install Chromium or Chrome, or set ` +
      'CHROMIUM_PATH to one, to run these tests',
  );
}

/**
 * Unpacks @sparticuz/chromium, once an installation: 64 MB of Brotli become 211 MB, in two to seven seconds.
 */
async function unpacked(): Promise<LaunchOptions> {
  const manifest = await readFile(join(root, 'node_modules/@sparticuz/chromium/package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const cache = join(root, 'node_modules', '.cache');
  const folder = join(cache, `chromium-${version}`);
  if (!existsSync(folder)) {
    await mkdir(cache, { recursive: true });
    const staging = await mkdtemp(join(cache, 'unpacking-'));
    await unpackInto(staging);
    await writeFile(join(staging, 'fonts', 'fonts.conf'), fontsConfiguration(folder));
    // In one step: another worker must not start half a browser. Whoever comes second keeps the first's.
    await rename(staging, folder).catch(() => rm(staging, { recursive: true, force: true }));
  }
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      ...(process.env as Record<string, string>),
      LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
      FONTCONFIG_PATH: join(folder, 'fonts'),
    },
  };
}

/**
 * The package unpacks into the temporary folder, and its libraries only where it believes to be on AWS
 * Lambda.
 */
async function unpackInto(folder: string): Promise<void> {
  const script = "import chromium from '@sparticuz/chromium'; await chromium.executablePath();";
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: root,
    env: { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' },
  });
}

/**
 * The package's own names folders of AWS Lambda; without any font, Chromium crashes on a page that asks for
 * one by name.
 */
const fontsConfiguration = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, 'fonts')}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(folder, 'fonts-cache')}</cachedir>
</fontconfig>
`;
