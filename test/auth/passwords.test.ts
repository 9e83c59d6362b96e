import { describe, expect, test } from 'vitest';
import {
  checkPassword,
  decoyLike,
  hashPassword,
  isPasswordHash,
  type PasswordCheckOptions,
} from '../../src/auth/passwords.ts';
import { lowCost } from '../support/low-cost.ts';
import { sampled } from '../support/soak.ts';

/**
 * Of `my password`; the ASP.NET ones are the published vectors of its own tests, the bcrypt ones were made by
 * libxcrypt.
 */
const imported = {
  'ASP.NET Identity v2': 'ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A==',
  'ASP.NET Identity v3, SHA-1': 'AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M',
  'ASP.NET Identity v3, SHA-256, .NET Core 1 to 6':
    'AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==',
  'ASP.NET Identity v3, SHA-512, long salt and key':
    'AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7LtVi9IWyUxX' +
    '8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw==',
  'ASP.NET Identity v3, 250,000 rounds':
    'AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8efc' +
    'W+jQ=',
  'bcrypt 2b': '$2b$05$abcdefghijklmnopqrstuu3F58TMR3T5heUT7a5uNIipGppqvc3lW',
  'bcrypt 2y': '$2y$06$abcdefghijklmnopqrstuuohzgS3J55ZZYkCOdaqqbha3fft8rqSu',
  'bcrypt 2a, cost 10': '$2a$10$abcdefghijklmnopqrstuuABPIFnvOKApA.wGFXs27UnpR/HdpQZG',
};

/** Of version 3, SHA-256, and no password. */
function aspNetHash(rounds: number): string {
  const bytes = Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16, ...Array(48).fill(7)]);
  bytes.writeUInt32BE(rounds, 5);
  return bytes.toString('base64');
}

/** What today's hash costs is not what most of these are about. */
const cheap = { cost: lowCost };

const refused = new Set(sampled(Object.keys(imported), 3));

describe.for(Object.entries(imported))('%s', ([name, hash]) => {
  test('is accepted, and a hash of ours is offered for it', async () => {
    const verdict = await checkPassword(hash, 'my password', cheap);
    expect(verdict.valid).toBe(true);
    expect(verdict.replacement).toMatch(/^scrypt\$ln=4,r=8,p=1\$/);
    expect(await checkPassword(verdict.replacement, 'my password', cheap)).toEqual({ valid: true });
    expect(isPasswordHash(hash)).toBe(true);
  });
  test.runIf(refused.has(name))('refuses another password and offers nothing', async () => {
    expect(await checkPassword(hash, 'my Password', cheap)).toEqual({ valid: false });
  });
});

test.for([
  ['cut short', 'AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggE='],
  ['with a tail', 'AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJgAAAAAAAAAAAAA='],
  ['with a short key', 'AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4A='],
  ['with four thousand million rounds', aspNetHash(0xffffffff)],
  ['of bcrypt with 2^31 rounds', '$2b$31$abcdefghijklmnopqrstuu3F58TMR3T5heUT7a5uNIipGppqvc3lW'],
  ['of scrypt with 2^30', `scrypt$ln=30,r=8,p=5$${'A'.repeat(22)}$${'A'.repeat(43)}`],
  ['plain', 'my password'],
  ['empty', ''],
] as const)('a hash %s matches nothing and cannot be imported', async ([, hash]) => {
  expect(isPasswordHash(hash)).toBe(false);
  expect(await checkPassword(hash, 'my password', cheap)).toEqual({ valid: false });
});

test('two hashes of one password differ, and both are accepted', async () => {
  const [one, other] = [await hashPassword('Škoda 120', lowCost), await hashPassword('Škoda 120', lowCost)];
  expect(one).not.toBe(other);
  expect(await checkPassword(one, 'Škoda 120', cheap)).toEqual({ valid: true });
  expect(await checkPassword(other, 'Škoda 120', cheap)).toEqual({ valid: true });
  expect(await checkPassword(other, 'Skoda 120', cheap)).toEqual({ valid: false });
});

test('a hash that is dearer than today’s is kept, and a wrong password is refused', async () => {
  const dear = await hashPassword('my password', { ...lowCost, logN: lowCost.logN + 1 });
  const costliest = decoyLike(imported['bcrypt 2b']);
  expect(await checkPassword(dear, 'my password', { ...cheap, costliest })).toEqual({ valid: true });
  expect(await checkPassword(dear, 'wrong', { ...cheap, costliest })).toEqual({ valid: false });
});

test('a letter may be typed as one code point or as two', async () => {
  const hash = await hashPassword('příliš'.normalize('NFD'), lowCost);
  expect(await checkPassword(hash, 'příliš'.normalize('NFC'), cheap)).toEqual({ valid: true });
});

test('a hash that is cheaper than today’s is replaced at sign-in', async () => {
  const cheap = await hashPassword('my password', { logN: 10, r: 8, p: 1 });
  const verdict = await checkPassword(cheap, 'my password');
  expect(verdict.valid).toBe(true);
  expect(verdict.replacement).toMatch(/^scrypt\$ln=14,r=8,p=5\$/);
});

/** Microseconds of CPU that the rejection of a password takes. */
async function costOfRejecting(hash: string | undefined, options: PasswordCheckOptions): Promise<number> {
  const before = process.cpuUsage();
  expect(await checkPassword(hash, 'wrong', options)).toEqual({ valid: false });
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Today's hash, bcrypt with cost 12 and ASP.NET with 250,000 rounds, each with a sixteenth of its rounds. */
const sixteenth = {
  cost: { logN: 10, r: 8, p: 5 },
  bcrypt: '$2a$08$abcdefghijklmnopqrstuuABPIFnvOKApA.wGFXs27UnpR/HdpQZG',
  aspNet: aspNetHash(15_625),
};

test('a wrong password costs what the costliest hash costs, whoever’s it is', async () => {
  const { cost, bcrypt, aspNet } = sixteenth;
  const hashes = [undefined, await hashPassword('my password', cost), bcrypt, aspNet];
  // The process may have other work meanwhile, so the least of up to five is compared.
  const least = hashes.map(() => Number.POSITIVE_INFINITY);
  const ratio = () => Math.max(...least) / Math.min(...least);
  for (let round = 0; round < 3 || (round < 5 && !(ratio() < 1.6)); round += 1)
    for (const [n, hash] of hashes.entries())
      least[n] = Math.min(least[n]!, await costOfRejecting(hash, { costliest: decoyLike(bcrypt), cost }));
  expect(ratio()).toBeLessThan(1.6);
});

test('no hash at all costs what a wrong password costs', async () => {
  const { cost } = sixteenth;
  const hash = await hashPassword('my password', cost);
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as [number, number];
  for (let round = 0; round < 5; round += 1)
    for (const [n, one] of [undefined, hash].entries())
      least[n] = Math.min(least[n]!, await costOfRejecting(one, { cost }));
  const ratio = least[0] / least[1];
  expect(ratio).toBeGreaterThan(0.6);
  expect(ratio).toBeLessThan(1.6);
});
