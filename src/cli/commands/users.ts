import { asc, eq } from 'drizzle-orm';
import { hashPassword } from '../../auth/passwords.ts';
import { mailboxGrants, users } from '../../db/tables.ts';
import { newUser } from '../../import/record.ts';
import { auditEntry } from '../audit-entry.ts';
import { type Command, CommandError, checked, one } from '../command.ts';
import { findUser } from '../find-by-name.ts';
import { done, fields, rows } from '../output.ts';
import { readSecret } from '../read-secret.ts';

const add: Command = {
  name: 'user add',
  arguments: ['LOGIN'],
  summary: 'Add a user',
  details: 'The password is asked for, or read from the first line of standard input.',
  options: {
    name: { type: 'string', value: 'NAME', required: true, help: 'display name' },
    role: { type: 'string', value: 'ROLE', required: true, help: 'operator or requester' },
    email: { type: 'string', value: 'ADDRESS', help: 'e-mail address' },
    'no-password': { type: 'boolean', help: 'allow sign-in by token or JWT only' },
  },
  example: 'user add olga --name "Olga Operator" --role operator --email olga@example.com',
  async run(ctx, [login], values) {
    const user = checked(newUser, {
      login,
      name: one(values, 'name'),
      email: one(values, 'email') ?? null,
      role: one(values, 'role')!.toUpperCase(),
    });
    const password = values['no-password'] ? undefined : await readSecret(ctx, 'password');
    const passwordHash = password === undefined ? null : await hashPassword(password);
    const row = await ctx.db.transaction(async (tx) => {
      const [added] = await tx
        .insert(users)
        .values({ ...user, passwordHash })
        .returning({ id: users.id });
      await tx.execute(auditEntry('USER_ADDED', { userId: added!.id, login: user.login, role: user.role }));
      return added!;
    });
    return fields({ id: row.id, ...user });
  },
};

const edit: Command = {
  name: 'user edit',
  arguments: ['LOGIN'],
  summary: 'Change the name, address, login or role of a user',
  details:
    'Options that are not given stay as they are. A user who becomes a requester loses all mailbox\n' +
    'grants. Takes effect within 30 seconds.',
  options: {
    name: { type: 'string', value: 'NAME', help: 'display name' },
    email: { type: 'string', value: 'ADDRESS', help: 'e-mail address; "" for none' },
    role: { type: 'string', value: 'ROLE', help: 'operator or requester' },
    login: { type: 'string', value: 'NEW_LOGIN', help: 'new login' },
  },
  example: 'user edit jane --email jane.doe@example.com',
  async run({ db }, [login], values) {
    const email = one(values, 'email');
    const role = one(values, 'role')?.toUpperCase();
    const given = {
      ...(values.login !== undefined && { login: one(values, 'login') }),
      ...(values.name !== undefined && { name: one(values, 'name') }),
      ...(email !== undefined && { email: email === '' ? null : email }),
      ...(role !== undefined && { role }),
    };
    if (Object.keys(given).length === 0) throw new CommandError('Nothing to change: give an option');
    const changes = checked(newUser.partial(), given);
    return db.transaction(async (tx) => {
      const user = await findUser(tx, login!);
      const [row] = await tx.update(users).set(changes).where(eq(users.id, user.id)).returning();
      if (row!.role === 'REQUESTER') await tx.delete(mailboxGrants).where(eq(mailboxGrants.userId, user.id));
      await tx.execute(auditEntry('USER_EDITED', { userId: user.id, changed: Object.keys(given) }));
      const { id, login: now, name, email: address, role: rank } = row!;
      return fields({ id, login: now, name, email: address, role: rank });
    });
  },
};

const list: Command = {
  name: 'user list',
  arguments: [],
  summary: 'List all users',
  options: {},
  example: 'user list --json',
  async run({ db }) {
    const found = await db.select().from(users).orderBy(asc(users.id));
    return rows(
      found.map(({ passwordHash, ...user }) => ({ ...user, password: passwordHash !== null })),
      ['id', 'login', 'name', 'email', 'role', 'password', 'disabledAt'],
    );
  },
};

const setDisabled = (name: string, summary: string, disable: boolean): Command => ({
  name: `user ${name}`,
  arguments: ['LOGIN'],
  summary,
  options: {},
  example: `user ${name} olga`,
  async run({ db }, [login]) {
    return db.transaction(async (tx) => {
      const user = await findUser(tx, login!);
      const disabledAt = disable ? (user.disabledAt ?? new Date()) : null;
      await tx.update(users).set({ disabledAt }).where(eq(users.id, user.id));
      await tx.execute(auditEntry(disable ? 'USER_DISABLED' : 'USER_ENABLED', { userId: user.id }));
      return done(
        `${user.login} ${disable ? 'cannot sign in any more, within 30 seconds' : 'can sign in again'}.`,
        {
          id: user.id,
          login: user.login,
          disabledAt,
        },
      );
    });
  },
});

const password: Command = {
  name: 'user password',
  arguments: ['LOGIN'],
  summary: 'Set a password',
  details:
    'Prompts for it, or reads the first line of standard input. The old one works for up to 30 seconds.',
  options: { remove: { type: 'boolean', help: 'remove the password' } },
  async run(ctx, [login], values) {
    const user = await findUser(ctx.db, login!);
    const passwordHash = values.remove ? null : await hashPassword(await readSecret(ctx, 'password'));
    await ctx.db.transaction(async (tx) => {
      await tx.update(users).set({ passwordHash }).where(eq(users.id, user.id));
      await tx.execute(
        auditEntry(passwordHash === null ? 'PASSWORD_REMOVED' : 'PASSWORD_SET', { userId: user.id }),
      );
    });
    return done(`${user.login} has ${passwordHash === null ? 'no' : 'a new'} password.`, {
      id: user.id,
      login: user.login,
      password: passwordHash !== null,
    });
  },
  example: 'user password olga',
};

/**
 * The commands `user add`, `edit`, `list`, `disable`, `enable` and `password`. Each change is written in one
 * transaction with its audit entry, and takes effect within 30 s in running gateways.
 */
export const userCommands: readonly Command[] = [
  add,
  edit,
  list,
  setDisabled('disable', 'Stop a user from signing in', true),
  setDisabled('enable', 'Let a disabled user sign in again', false),
  password,
];
