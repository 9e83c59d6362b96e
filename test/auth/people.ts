import { randomUUID } from 'node:crypto';
import { createAuthenticator } from '../../src/auth/authenticate.ts';
import { hashPassword } from '../../src/auth/passwords.ts';
import type { ScryptParameters } from '../../src/auth/scrypt.ts';
import type { Config } from '../../src/config.ts';
import { users } from '../../src/db/tables.ts';
import { createLog } from '../../src/platform/log.ts';
import type { Role } from '../../src/platform/request-context.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { lowCost } from '../support/low-cost.ts';

/** A hash of each password, at a cost that no test waits for. */
export const hashOf = {
  'correct horse': await hashPassword('correct horse', lowCost),
  operator: await hashPassword('operator', lowCost),
};

/** The same at today's cost, for tests of what a sign-in costs. */
export const dearHashOf = {
  'correct horse': 'scrypt$ln=14,r=8,p=5$oYMGVZg+aK8jAMDk1O6qmQ$igDhwhXSUCs6bx5J3NH3/l47HnUHnn10eHA4fcpwRkg',
  operator: 'scrypt$ln=14,r=8,p=5$1eQn0IoUTVb/cZcdHsiGOw$4WRsBCbBkcMgbFBoGzpmVXrQfgtz+xbdbUlBoJY7nhQ',
} as const;

export const basic = (login: string, password: string, encoding: BufferEncoding = 'utf8') =>
  `Basic ${Buffer.from(`${login}:${password}`, encoding).toString('base64')}`;

interface Person {
  login: string;
  role?: Role;
  email?: string | null;
  passwordHash?: string | null;
  disabledAt?: Date | null;
}

/** A clock that moves only by the stated duration of work and by sleeps. */
function createStopwatch() {
  const stopwatch = {
    at: 0,
    workMs: 7,
    now() {
      stopwatch.at += stopwatch.workMs;
      return stopwatch.at;
    },
    async sleep(ms: number) {
      stopwatch.at += ms;
    },
  };
  return stopwatch;
}

interface WorldOptions {
  readonly jwt?: Config['jwt'];
  /** Of the hashes that are made. */
  readonly passwordCost?: ScryptParameters;
  /** Else one of its own. */
  readonly database?: TestDatabase;
}

/** A desk with its own clocks and an authenticator. */
export async function createWorld({ jwt, passwordCost = lowCost, database }: WorldOptions = {}) {
  const world = database ?? (await createTestDatabase());
  const { desk } = world.database;
  const clock = { at: Date.parse('2026-11-01T12:00:00Z') };
  const logged: string[] = [];
  const log = createLog('info', { write: (line: string) => logged.push(line) > 0 } as never);
  const stopwatch = createStopwatch();
  const now = () => new Date(clock.at);
  const open = () => createAuthenticator({ db: desk, jwt, passwordCost, stopwatch, now, log });
  const authenticator = open();
  return {
    ...world,
    desk,
    logged,
    /** Another process on the same database. */
    open,
    authenticate: (authorization: string | undefined, from = '192.0.2.1') =>
      authenticator.authenticate(authorization, from),
    pass: (seconds: number) => {
      clock.at += seconds * 1000;
    },
    now,
    stopwatch,
    async add(person: Person): Promise<number> {
      const [row] = await desk
        .insert(users)
        .values({ name: person.login || randomUUID(), role: 'OPERATOR', ...person })
        .returning({ id: users.id });
      return row!.id;
    },
    async [Symbol.asyncDispose]() {
      await authenticator[Symbol.asyncDispose]();
      if (database === undefined) await world[Symbol.asyncDispose]();
    },
  };
}
