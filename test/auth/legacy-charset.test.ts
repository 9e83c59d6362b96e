import { describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../src/auth/authenticate.ts';
import { hashPassword } from '../../src/auth/passwords.ts';
import { ConfigError, readConfig } from '../../src/config.ts';
import { BadCredential } from '../../src/platform/errors.ts';
import { createLog } from '../../src/platform/log.ts';
import { lowCost } from '../support/low-cost.ts';
import { createWorld } from './people.ts';

const czech = 'Příliš žluťoučký kůň';
/** Some letters of windows-1250 and windows-1252, as a client of the code page sends them. */
const pages: Record<string, Record<string, number>> = {
  'windows-1250': {
    ř: 0xf8,
    í: 0xed,
    š: 0x9a,
    ž: 0x9e,
    ť: 0x9d,
    č: 0xe8,
    ý: 0xfd,
    ů: 0xf9,
    ň: 0xf2,
    Ú: 0xda,
  },
  'windows-1252': { é: 0xe9, '€': 0x80, '’': 0x92, ž: 0x9e, í: 0xed, š: 0x9a },
};
function basicIn(page: string, text: string): string {
  const bytes = [...text].map((char) => pages[page]![char] ?? char.charCodeAt(0));
  return `Basic ${Buffer.from(bytes).toString('base64')}`;
}
const utf8 = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

async function desk(legacyCharset?: string) {
  const world = await createWorld();
  const add = async (login: string, password: string) =>
    world.add({ login, passwordHash: await hashPassword(password, lowCost) });
  const { logged } = world;
  const log = createLog('info', { write: (line: string) => logged.push(line) > 0 } as never);
  const { desk: db, now, stopwatch } = world;
  const ports = { db, now, stopwatch, passwordCost: lowCost, log };
  const authenticator = createAuthenticator(
    legacyCharset === undefined ? ports : { ...ports, legacyCharset },
  );
  const signIn = async (header: string) =>
    (await authenticator.authenticate(header, '192.0.2.1').catch((error) => {
      if (error instanceof BadCredential) return error;
      throw error;
    })) as { login?: string; retryAfterSeconds?: number };
  return { world, add, signIn };
}

describe('a Basic credential that is no UTF-8 is read by LEGACY_CHARSET', () => {
  test('windows-1250, as .NET Framework sends it in Prague', async () => {
    const { world, add, signIn } = await desk('windows-1250');
    await using _ = world;
    await add('jiří', czech);
    expect(await signIn(basicIn('windows-1250', `jiří:${czech}`))).toMatchObject({ login: 'jiří' });
    expect(await signIn(utf8(`jiří:${czech}`))).toMatchObject({ login: 'jiří' });
    expect(await signIn(basicIn('windows-1250', 'jiří:žluťoučký'))).toBeInstanceOf(BadCredential);
  });

  test('windows-1252 unless it is given, with the letters that Latin-1 does not have', async () => {
    const { world, add, signIn } = await desk();
    await using _ = world;
    await add('rené', '5 € – no, “ž”'.replace(/[–“”]/g, '’'));
    expect(await signIn(basicIn('windows-1252', 'rené:5 € ’ no, ’ž’'))).toMatchObject({ login: 'rené' });
  });

  test('words that are both: ‘Úžas’ is UTF-8 for something else', async () => {
    const { world, add, signIn } = await desk('windows-1250');
    await using _ = world;
    await add('jan', 'Úžas');
    await add('petr', Buffer.from([0xda, 0x9e]).toString());
    expect(await signIn(basicIn('windows-1250', 'jan:Úžas'))).toMatchObject({ login: 'jan' });
    expect(await signIn(utf8('jan:Úžas'))).toMatchObject({ login: 'jan' });
    expect(await signIn(basicIn('windows-1250', 'petr:Úž'))).toMatchObject({ login: 'petr' });
  });
});

test('one request is one failure, although its credential has two readings', async () => {
  const { world, signIn } = await desk('windows-1250');
  await using _ = world;
  const tries = [...Array(11).keys()].map((n) => signIn(basicIn('windows-1250', `Úžas:Úžas${n}`)));
  const waits = (await Promise.all(tries)).map(({ retryAfterSeconds }) => retryAfterSeconds);
  // Ten failures at once are allowed for a login and an address.
  expect(waits.filter((wait) => wait === undefined)).toHaveLength(10);
});

test('a guess counts for each login that it may mean', async () => {
  const { world, add, signIn } = await desk('windows-1250');
  await using _ = world;
  await add('Úž', 'secret');
  for (let n = 0; n < 10; n++) await signIn(basicIn('windows-1250', `Úž:guess${n}`));
  expect(await signIn(utf8('Úž:secret'))).toMatchObject({ retryAfterSeconds: expect.any(Number) });
});

test('the same wrong credential again is neither hashed nor counted', async () => {
  const { world, signIn } = await desk('windows-1250');
  await using _ = world;
  const header = basicIn('windows-1250', 'Úžas:Úžas');
  for (let n = 0; n < 13; n++) expect((await signIn(header)).retryAfterSeconds).toBeUndefined();
  const refused = world.logged.filter((line) => line.includes('sign-in refused'));
  expect(refused.map((line) => JSON.parse(line).reason)).toEqual([
    'wrong_password',
    ...Array(12).fill('repeated_password'),
  ]);
});

test('LEGACY_CHARSET must be a code page', () => {
  expect(readConfig({}).legacyCharset).toBe('windows-1252');
  expect(readConfig({ LEGACY_CHARSET: 'windows-1250' }).legacyCharset).toBe('windows-1250');
  for (const LEGACY_CHARSET of ['utf-8', 'UTF-16', 'windows-9999', 'x']) {
    expect(() => readConfig({ LEGACY_CHARSET })).toThrow(ConfigError);
    expect(() => readConfig({ LEGACY_CHARSET })).toThrow(/^LEGACY_CHARSET: /);
  }
});
