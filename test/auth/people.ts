import { randomUUID } from 'node:crypto';
import { createAuthenticator } from '../../src/auth/authenticate.ts';
import type { Config } from '../../src/config.ts';
import type { Role } from '../../src/context.ts';
import { users } from '../../src/db/tables.ts';
import { createLog } from '../../src/log.ts';
import { createTestDatabase } from '../support/database.ts';

/** A hash of today's cost for each password, made once, so that a test does not pay for hashing. */
export const hashOf = {
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

/** A desk with a clock of its own and an authenticator on it. */
export async function createWorld(options: { jwt?: Config['jwt'] } = {}) {
  const world = await createTestDatabase();
  const { desk } = world.database;
  const clock = { at: Date.parse('2026-11-01T12:00:00Z') };
  const logged: string[] = [];
  const log = createLog('info', { write: (line: string) => logged.push(line) > 0 } as never);
  const open = () => createAuthenticator({ db: desk, jwt: options.jwt, now: () => new Date(clock.at), log });
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
    now: () => new Date(clock.at),
    async add(person: Person): Promise<number> {
      const [row] = await desk
        .insert(users)
        .values({ name: person.login || randomUUID(), role: 'OPERATOR', ...person })
        .returning({ id: users.id });
      return row!.id;
    },
    async [Symbol.asyncDispose]() {
      await authenticator[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}
